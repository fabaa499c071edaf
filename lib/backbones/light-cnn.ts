/**
 * LightCNN-29: no activation function but the larger of two feature maps (max-feature-map), max plus mean pooling.
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

const blocks = (count: number, channels: number) => new Sequential(...Array.from({ length: count }, () => new ResBlock(channels)))

class LightCNN extends Module {
  readonly conv1 = new Mfm(3, 48, 5)
  readonly block1 = blocks(1, 48)
  readonly group1 = new Group(48, 96)
  readonly block2 = blocks(2, 96)
  readonly group2 = new Group(96, 192)
  readonly block3 = blocks(3, 192)
  readonly group3 = new Group(192, 128)
  readonly block4 = blocks(4, 128)
  readonly group4 = new Group(128, 128)
  readonly output_layer: Sequential
  readonly pool: MixedPool

  constructor(config: OutputConfig & { readonly dropout_ratio: number }, [, height, width]: ImageShape) {
    super()
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
  summary: 'max-feature-map network with 29 layers',
  paper: 'arXiv:1511.02683',
  options: {
    depth: z.literal(29).default(29).describe('layers'),
    dropout_ratio: ratio(0.2, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config, input) => new LightCNN(config, input),
})
