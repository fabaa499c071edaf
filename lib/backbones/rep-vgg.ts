/**
 * RepVGG: three parallel branches while training, one 3 x 3 convolution afterwards. Ding et al., arXiv:2101.03697.
 *
 * The branches become one convolution in `graph/passes/rep-vgg.ts`.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Flatten, Linear, Module, ReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS } from './backbone.js'
import type { OutputConfig } from './output-layer.js'

function convBn(inChannels: number, channels: number, kernel: 1 | 3, stride: number): Sequential {
  const conv = new Conv2d(inChannels, channels, kernel, { stride, padding: (kernel - 1) / 2, bias: false })
  return new Sequential({ conv, bn: new BatchNorm(channels) })
}

class RepVGGBlock extends Module {
  readonly nonlinearity = ReLU()
  readonly rbr_identity: BatchNorm | undefined
  readonly rbr_dense: Sequential
  readonly rbr_1x1: Sequential

  constructor(inChannels: number, channels: number, stride: number) {
    super()
    this.rbr_identity = inChannels === channels && stride === 1 ? new BatchNorm(inChannels) : undefined
    this.rbr_dense = convBn(inChannels, channels, 3, stride)
    this.rbr_1x1 = convBn(inChannels, channels, 1, stride)
  }

  override forward(x: Value): Value {
    const branches = F.add(this.rbr_dense.call(x), this.rbr_1x1.call(x))
    return this.nonlinearity.call(this.rbr_identity === undefined ? branches : F.add(branches, this.rbr_identity.call(x)))
  }
}

interface RepVGGConfig extends OutputConfig {
  readonly blocks: readonly [number, number, number, number]
  readonly widths: readonly [number, number, number, number]
}

class RepVGG extends Module {
  readonly stage0: RepVGGBlock
  readonly stage1: Sequential
  readonly stage2: Sequential
  readonly stage3: Sequential
  readonly stage4: Sequential
  readonly output_layer: Sequential

  constructor({ blocks, widths, ...output }: RepVGGConfig) {
    super()
    const channels = widths.map((width, i) => Math.trunc(64 * 2 ** i * width)) as [number, number, number, number]
    const stem = Math.min(64, channels[0])
    this.stage0 = new RepVGGBlock(3, stem, 1)
    this.stage1 = stage(stem, channels[0], blocks[0])
    this.stage2 = stage(channels[0], channels[1], blocks[1])
    this.stage3 = stage(channels[1], channels[2], blocks[2])
    this.stage4 = stage(channels[2], channels[3], blocks[3])
    this.output_layer = new Sequential(
      new BatchNorm(channels[3]),
      new Flatten(),
      new Linear(channels[3] * output.out_h * output.out_w, output.feat_dim),
      new BatchNorm(output.feat_dim),
    )
  }

  override forward(x: Value): Value {
    const layers = [this.stage0, this.stage1, this.stage2, this.stage3, this.stage4, this.output_layer]
    return layers.reduce((value: Value, layer: Module) => layer.call(value), x)
  }
}

function stage(inChannels: number, channels: number, blocks: number): Sequential {
  return new Sequential(...Array.from({ length: blocks }, (_, i) => new RepVGGBlock(i === 0 ? inChannels : channels, channels, i === 0 ? 2 : 1)))
}

const blocks = (value: number, stage: number) => z.int().min(1).default(value).describe(`blocks of stage ${stage}`)
const width = (value: number, stage: number) => z.number().positive().default(value).describe(`channel multiplier of stage ${stage}`)

export const repVGG = defineBackbone({
  name: 'RepVGG',
  summary: 'three branches that become one 3 x 3 convolution for deployment; A0 by default, B0 and B1 by blocks and widths',
  paper: 'arXiv:2101.03697',
  options: {
    ...{ blocks1: blocks(2, 1), blocks2: blocks(4, 2), blocks3: blocks(14, 3), blocks4: blocks(1, 4) },
    ...{ width1: width(0.75, 1), width2: width(0.75, 2), width3: width(0.75, 3), width4: width(2.5, 4) },
    ...OUTPUT_OPTIONS,
  },
  // The training configuration of FaceX-Zoo has these names for them, its evaluation configuration the others.
  aliases: {
    ...{ block_stage1: 'blocks1', block_stage2: 'blocks2', block_stage3: 'blocks3', block_stage4: 'blocks4' },
    ...{ width_stage1: 'width1', width_stage2: 'width2', width_stage3: 'width3', width_stage4: 'width4' },
  },
  create: (config) =>
    new RepVGG({
      ...config,
      blocks: [config.blocks1, config.blocks2, config.blocks3, config.blocks4],
      widths: [config.width1, config.width2, config.width3, config.width4],
    }),
})
