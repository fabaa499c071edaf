/**
 * ResNeSt: bottlenecks whose channels come in two splits, weighted by attention. Zhang et al., arXiv:2004.08955.
 *
 * The embedding has unit length, as in the published models: heads that read the norm (MagFace) see a constant.
 * @module
 */
import { z } from 'zod'

import { AvgPool2d, BatchNorm, Conv2d, F, Module, PReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

const RADIX = 2

/** Split attention: a grouped convolution makes RADIX maps; a softmax over them says how much of each is kept. */
class SplitAttention extends Module {
  readonly conv: Conv2d
  readonly bn0: BatchNorm
  readonly fc1: Conv2d
  readonly bn1: BatchNorm
  readonly fc2: Conv2d

  constructor(channels: number) {
    super()
    const inner = Math.max(Math.floor((channels * RADIX) / 4), 32)
    this.conv = new Conv2d(channels, channels * RADIX, 3, { padding: 1, groups: RADIX, bias: false })
    this.bn0 = new BatchNorm(channels * RADIX)
    this.fc1 = new Conv2d(channels, inner, 1)
    this.bn1 = new BatchNorm(inner)
    this.fc2 = new Conv2d(inner, channels * RADIX, 1)
  }

  override forward(x: Value): Value {
    const maps = F.relu(this.bn0.call(this.conv.call(x)))
    const splits = F.chunk(maps, RADIX)
    const summary = F.globalAvgPool(F.add(splits[0]!, ...splits.slice(1)))
    const scores = this.fc2.call(F.relu(this.bn1.call(this.fc1.call(summary))))
    const channels = scores.dims[0]! / RADIX
    const weights = F.softmax(F.reshape(scores, [RADIX, channels]), 0)
    const gates = F.chunk(F.reshape(weights, [RADIX * channels, 1, 1]), RADIX)
    const weighted = splits.map((split, i) => F.mul(split, gates[i]!))
    return F.add(weighted[0]!, ...weighted.slice(1))
  }
}

class Bottleneck extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm
  readonly avd_layer: AvgPool2d | undefined
  readonly conv2: SplitAttention
  readonly conv3: Conv2d
  readonly bn3: BatchNorm
  readonly downsample: Sequential | undefined

  /** `first` of its stage: averages before the last convolution, even where the stride is 1. */
  constructor(inChannels: number, planes: number, stride: number, first: boolean) {
    super()
    this.conv1 = new Conv2d(inChannels, planes, 1, { bias: false })
    this.bn1 = new BatchNorm(planes)
    this.avd_layer = first ? new AvgPool2d(3, { stride, padding: 1 }) : undefined
    this.conv2 = new SplitAttention(planes)
    this.conv3 = new Conv2d(planes, planes * 4, 1, { bias: false })
    this.bn3 = new BatchNorm(planes * 4)
    this.downsample = first
      ? new Sequential(
          new AvgPool2d(stride, { ceilMode: true, countIncludePad: false }),
          new Conv2d(inChannels, planes * 4, 1, { bias: false }),
          new BatchNorm(planes * 4),
        )
      : undefined
  }

  override forward(x: Value): Value {
    let y = F.relu(this.bn1.call(this.conv1.call(x)))
    y = this.conv2.call(y)
    y = this.avd_layer?.call(y) ?? y
    y = this.bn3.call(this.conv3.call(y))
    return F.relu(F.add(y, this.downsample?.call(x) ?? x))
  }
}

function stage(inChannels: number, planes: number, blocks: number): Sequential {
  const layers = Array.from({ length: blocks }, (_, i) => new Bottleneck(i === 0 ? inChannels : planes * 4, planes, i === 0 ? 2 : 1, i === 0))
  return new Sequential(...layers)
}

class Body extends Module {
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential

  constructor([first, second, third, fourth]: readonly [number, number, number, number]) {
    super()
    this.layer1 = stage(64, 64, first)
    this.layer2 = stage(256, 128, second)
    this.layer3 = stage(512, 256, third)
    this.layer4 = stage(1024, 512, fourth)
  }

  override forward(x: Value): Value {
    return [this.layer1, this.layer2, this.layer3, this.layer4].reduce((value, layer) => layer.call(value), x)
  }
}

/** Blocks of the four stages. */
const STAGES: Readonly<Record<number, readonly [number, number, number, number]>> = {
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  200: [3, 24, 36, 3],
  269: [3, 30, 48, 8],
}

class ResNeSt extends Module {
  readonly input_layer = new Sequential(new Conv2d(3, 64, 3, { padding: 1, bias: false }), new BatchNorm(64), new PReLU(64))
  readonly output_layer: Sequential
  readonly body: Body

  constructor(config: OutputConfig & { readonly depth: number; readonly drop_ratio: number }) {
    super()
    this.output_layer = outputLayer(2048, config.drop_ratio, config)
    this.body = new Body(STAGES[config.depth]!)
  }

  override forward(x: Value): Value {
    return F.l2Normalize(this.output_layer.call(this.body.call(this.input_layer.call(x))))
  }
}

export const resNeSt = defineBackbone({
  name: 'ResNeSt',
  summary: 'split-attention network of depth 50, 101, 200 or 269; its embedding has unit length',
  paper: 'arXiv:2004.08955',
  options: {
    depth: z.literal([50, 101, 200, 269]).default(50).describe('layers'),
    drop_ratio: ratio(0.4, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new ResNeSt(config),
})
