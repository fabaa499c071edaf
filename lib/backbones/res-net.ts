/**
 * ResNet in the "improved residual" form of face recognition (batch norm first, PReLU, no bottleneck), plain or with
 * squeeze-and-excitation. Deng et al., arXiv:1801.07698; Hu et al., arXiv:1709.01507.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, MaxPool2d, Module, PReLU, ReLU, Sequential, Sigmoid } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

/** Channels weighted by what the whole map holds. */
class SEModule extends Module {
  readonly fc1: Conv2d
  readonly relu = ReLU()
  readonly fc2: Conv2d
  readonly sigmoid = Sigmoid()

  constructor(channels: number, reduction: number) {
    super()
    this.fc1 = new Conv2d(channels, Math.floor(channels / reduction), 1, { bias: false })
    this.fc2 = new Conv2d(Math.floor(channels / reduction), channels, 1, { bias: false })
  }

  override forward(x: Value): Value {
    const squeezed = this.relu.call(this.fc1.call(F.globalAvgPool(x)))
    return F.mul(x, this.sigmoid.call(this.fc2.call(squeezed)))
  }
}

class Bottleneck extends Module {
  readonly shortcut_layer: Module
  readonly res_layer: Sequential

  constructor(inChannels: number, channels: number, stride: number, squeeze: boolean) {
    super()
    this.shortcut_layer =
      inChannels === channels
        ? new MaxPool2d(1, { stride })
        : new Sequential(new Conv2d(inChannels, channels, 1, { stride, bias: false }), new BatchNorm(channels))
    this.res_layer = new Sequential(
      new BatchNorm(inChannels),
      new Conv2d(inChannels, channels, 3, { padding: 1, bias: false }),
      new PReLU(channels),
      new Conv2d(channels, channels, 3, { stride, padding: 1, bias: false }),
      new BatchNorm(channels),
      ...(squeeze ? [new SEModule(channels, 16)] : []),
    )
  }

  override forward(x: Value): Value {
    return F.add(this.res_layer.call(x), this.shortcut_layer.call(x))
  }
}

/** Blocks of the four stages, whose channels are 64, 128, 256 and 512. */
const STAGES: Readonly<Record<number, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 14, 3],
  100: [3, 13, 30, 3],
  152: [3, 8, 36, 3],
}

interface ResNetConfig extends OutputConfig {
  readonly depth: number
  readonly drop_ratio: number
  readonly net_mode: 'ir' | 'ir_se'
}

class ResNet extends Module {
  readonly input_layer = new Sequential(new Conv2d(3, 64, 3, { padding: 1, bias: false }), new BatchNorm(64), new PReLU(64))
  readonly output_layer: Sequential
  readonly body: Sequential

  constructor(config: ResNetConfig) {
    super()
    this.output_layer = outputLayer(512, config.drop_ratio, config)
    const squeeze = config.net_mode === 'ir_se'
    const blocks = STAGES[config.depth]!.flatMap((count, stage) => {
      const channels = 64 * 2 ** stage
      const before = stage === 0 ? 64 : channels / 2
      return Array.from({ length: count }, (_, i) => new Bottleneck(i === 0 ? before : channels, channels, i === 0 ? 2 : 1, squeeze))
    })
    this.body = new Sequential(...blocks)
  }

  override forward(x: Value): Value {
    return this.output_layer.call(this.body.call(this.input_layer.call(x)))
  }
}

export const resNet = defineBackbone({
  name: 'ResNet',
  summary: 'improved residual network of depth 18, 34, 50, 100 or 152, plain (ir) or with squeeze-and-excitation (ir_se)',
  paper: 'arXiv:1801.07698',
  options: {
    depth: z.literal([18, 34, 50, 100, 152]).default(152).describe('layers'),
    drop_ratio: ratio(0.4, 'dropout before the embedding'),
    net_mode: z.enum(['ir', 'ir_se']).default('ir_se').describe('plain, or with squeeze-and-excitation'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new ResNet(config),
})
