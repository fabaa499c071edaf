/**
 * The residual network that insightface trains ArcFace and Partial FC with: batch norm before every convolution and a
 * last batch norm whose weight stays 1. Deng et al., arXiv:1801.07698; Duta et al., arXiv:2004.04989.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, Dropout, F, Flatten, init, Linear, Module, PReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import type { OutputConfig } from './output-layer.js'

const conv = (inChannels: number, channels: number, kernel: 1 | 3, stride = 1): Conv2d =>
  new Conv2d(inChannels, channels, kernel, { stride, padding: (kernel - 1) / 2, bias: false, init: { weight: init.normal(0.1) } })

class Block extends Module {
  readonly bn1: BatchNorm
  readonly conv1: Conv2d
  readonly bn2: BatchNorm
  readonly prelu: PReLU
  readonly conv2: Conv2d
  readonly bn3: BatchNorm
  readonly downsample: Sequential | undefined

  constructor(inChannels: number, channels: number, stride: number) {
    super()
    this.bn1 = new BatchNorm(inChannels)
    this.conv1 = conv(inChannels, channels, 3)
    this.bn2 = new BatchNorm(channels)
    this.prelu = new PReLU(channels)
    this.conv2 = conv(channels, channels, 3, stride)
    this.bn3 = new BatchNorm(channels)
    const changes = stride !== 1 || inChannels !== channels
    this.downsample = changes ? new Sequential(conv(inChannels, channels, 1, stride), new BatchNorm(channels)) : undefined
  }

  override forward(x: Value): Value {
    const chain = [this.bn1, this.conv1, this.bn2, this.prelu, this.conv2, this.bn3]
    const y = chain.reduce((value: Value, layer: Module) => layer.call(value), x)
    return F.add(y, this.downsample?.call(x) ?? x)
  }
}

/** Blocks of the four stages, whose channels are 64, 128, 256 and 512. */
const STAGES: Readonly<Record<number, readonly [number, number, number, number]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 14, 3],
  100: [3, 13, 30, 3],
  200: [6, 26, 60, 6],
}

function stage(inChannels: number, channels: number, blocks: number): Sequential {
  return new Sequential(...Array.from({ length: blocks }, (_, i) => new Block(i === 0 ? inChannels : channels, channels, i === 0 ? 2 : 1)))
}

class IResNet extends Module {
  readonly conv1 = conv(3, 64, 3)
  readonly bn1 = new BatchNorm(64)
  readonly prelu = new PReLU(64)
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly bn2 = new BatchNorm(512)
  readonly dropout: Dropout
  readonly flatten = new Flatten()
  readonly fc: Linear
  readonly features: BatchNorm

  constructor(config: OutputConfig & { readonly depth: number; readonly drop_ratio: number }) {
    super()
    const [first, second, third, fourth] = STAGES[config.depth]!
    this.layer1 = stage(64, 64, first)
    this.layer2 = stage(64, 128, second)
    this.layer3 = stage(128, 256, third)
    this.layer4 = stage(256, 512, fourth)
    this.dropout = new Dropout(config.drop_ratio)
    this.fc = new Linear(512 * config.out_h * config.out_w, config.feat_dim)
    this.features = new BatchNorm(config.feat_dim, { frozenWeight: true })
  }

  override forward(x: Value): Value {
    const stem = [this.conv1, this.bn1, this.prelu]
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4]
    const end = [this.bn2, this.dropout, this.flatten, this.fc, this.features]
    return [...stem, ...stages, ...end].reduce((value: Value, layer: Module) => layer.call(value), x)
  }
}

export const iResNet = defineBackbone({
  name: 'iResNet',
  summary: "insightface's residual network of depth 18, 34, 50, 100 or 200",
  paper: 'arXiv:1801.07698',
  options: {
    depth: z.literal([18, 34, 50, 100, 200]).default(50).describe('layers'),
    drop_ratio: ratio(0, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new IResNet(config),
})
