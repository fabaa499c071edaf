/**
 * LightCNN with 9 or 29 layers: no activation function but the larger of two feature maps (max-feature-map), max plus mean pooling.
 * Wu et al., arXiv:1511.02683.
 * @module
 */
import { z } from 'zod'

import { AvgPool2d, Conv2d, F, MaxPool2d, Module, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import type { ImageShape } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

/** Max-feature-map: twice the channels, and of each pair the larger. */
class Mfm extends Module {
  readonly filter: Conv2d

  constructor(inChannels: number, channels: number, kernel: number) {
    super()
    this.filter = new Conv2d(inChannels, 2 * channels, kernel, { padding: (kernel - 1) / 2 })
  }

  override forward(x: Value): Value {
    const [a, b] = F.chunk(this.filter.call(x), 2) as [Value, Value]
    return F.maximum(a, b)
  }
}

class Group extends Module {
  readonly conv_a: Mfm
  readonly conv: Mfm

  constructor(inChannels: number, channels: number) {
    super()
    this.conv_a = new Mfm(inChannels, inChannels, 1)
    this.conv = new Mfm(inChannels, channels, 3)
  }

  override forward(x: Value): Value {
    return this.conv.call(this.conv_a.call(x))
  }
}

class ResBlock extends Module {
  readonly conv1: Mfm
  readonly conv2: Mfm

  constructor(channels: number) {
    super()
    this.conv1 = new Mfm(channels, channels, 3)
    this.conv2 = new Mfm(channels, channels, 3)
  }

  override forward(x: Value): Value {
    return F.add(this.conv2.call(this.conv1.call(x)), x)
  }
}

/** The sum of both poolings, each halving the size. */
class MixedPool extends Module {
  readonly max: MaxPool2d
  readonly mean: AvgPool2d

  constructor(ceilMode: boolean) {
    super()
    this.max = new MaxPool2d(2, { ceilMode })
    this.mean = new AvgPool2d(2, { ceilMode })
  }

  override forward(x: Value): Value {
    return F.add(this.max.call(x), this.mean.call(x))
  }
}

/** Residual blocks before each of the four groups, by depth. */
const BLOCKS = { 9: [0, 0, 0, 0], 29: [1, 2, 3, 4] } as const

const blocks = (count: number, channels: number) => new Sequential(...Array.from({ length: count }, () => new ResBlock(channels)))

class LightCNN extends Module {
  readonly conv1 = new Mfm(3, 48, 5)
  readonly block1: Sequential
  readonly group1 = new Group(48, 96)
  readonly block2: Sequential
  readonly group2 = new Group(96, 192)
  readonly block3: Sequential
  readonly group3 = new Group(192, 128)
  readonly block4: Sequential
  readonly group4 = new Group(128, 128)
  readonly output_layer: Sequential
  readonly pool: MixedPool

  constructor(config: OutputConfig & { readonly depth: 9 | 29; readonly dropout_ratio: number }, [, height, width]: ImageShape) {
    super()
    const [first, second, third, fourth] = BLOCKS[config.depth]
    this.block1 = blocks(first, 48)
    this.block2 = blocks(second, 96)
    this.block3 = blocks(third, 192)
    this.block4 = blocks(fourth, 128)
    this.output_layer = outputLayer(128, config.dropout_ratio, config)
    // 60 rows halve to 30, 15, 7, 3 when odd sizes lose their last row, and to 8, 4 when they keep it: out_h decides.
    this.pool = new MixedPool(Math.floor(height / 16) < config.out_h || Math.floor(width / 16) < config.out_w)
  }

  override forward(x: Value): Value {
    const { pool } = this
    const features = [
      ...[this.conv1, pool, this.block1, this.group1, pool, this.block2, this.group2, pool],
      ...[this.block3, this.group3, this.block4, this.group4, pool],
    ]
    return this.output_layer.call(features.reduce((value: Value, layer: Module) => layer.call(value), x))
  }
}

export const lightCNN = defineBackbone({
  name: 'LightCNN',
  summary: 'max-feature-map network with 9 or 29 layers',
  paper: 'arXiv:1511.02683',
  options: {
    depth: z.literal([9, 29]).default(29).describe('layers'),
    dropout_ratio: ratio(0.2, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config, input) => new LightCNN(config, input),
})
