/**
 * GhostNet: half of the maps come from a convolution, the other half from cheap depthwise filters over those.
 * Han et al., arXiv:1911.11907.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Module, ReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

/** The nearest multiple of 4 that loses no more than a tenth. */
function divisible(channels: number): number {
  const rounded = Math.max(4, Math.floor(Math.trunc(channels + 2) / 4) * 4)
  return rounded < 0.9 * channels ? rounded + 4 : rounded
}

class SqueezeExcite extends Module {
  readonly conv_reduce: Conv2d
  readonly conv_expand: Conv2d

  constructor(channels: number, ratio: number) {
    super()
    this.conv_reduce = new Conv2d(channels, divisible(channels * ratio), 1)
    this.conv_expand = new Conv2d(divisible(channels * ratio), channels, 1)
  }

  override forward(x: Value): Value {
    const squeezed = F.relu(this.conv_reduce.call(F.globalAvgPool(x)))
    return F.mul(x, F.hardSigmoid(this.conv_expand.call(squeezed)))
  }
}

class GhostModule extends Module {
  readonly primary_conv: Sequential
  readonly cheap_operation: Sequential
  readonly #channels: number

  constructor(inChannels: number, channels: number, relu: boolean) {
    super()
    this.#channels = channels
    const half = Math.ceil(channels / 2)
    const activation = relu ? [ReLU()] : []
    this.primary_conv = new Sequential(new Conv2d(inChannels, half, 1, { bias: false }), new BatchNorm(half), ...activation)
    const cheap = new Conv2d(half, half, 3, { padding: 1, groups: half, bias: false })
    this.cheap_operation = new Sequential(cheap, new BatchNorm(half), ...activation)
  }

  override forward(x: Value): Value {
    const primary = this.primary_conv.call(x)
    const maps = F.concat([primary, this.cheap_operation.call(primary)])
    return maps.dims[0] === this.#channels ? maps : F.slice(maps, 0, this.#channels)
  }
}

class GhostBottleneck extends Module {
  readonly ghost1: GhostModule
  readonly conv_dw: Conv2d | undefined
  readonly bn_dw: BatchNorm | undefined
  readonly se: SqueezeExcite | undefined
  readonly ghost2: GhostModule
  readonly shortcut: Sequential

  constructor(inChannels: number, middle: number, channels: number, kernel: number, stride: number, squeeze: number) {
    super()
    const depthwise = (width: number) => new Conv2d(width, width, kernel, { stride, padding: (kernel - 1) / 2, groups: width, bias: false })
    this.ghost1 = new GhostModule(inChannels, middle, true)
    this.conv_dw = stride > 1 ? depthwise(middle) : undefined
    this.bn_dw = stride > 1 ? new BatchNorm(middle) : undefined
    this.se = squeeze > 0 ? new SqueezeExcite(middle, squeeze) : undefined
    this.ghost2 = new GhostModule(middle, channels, false)
    const pointwise = () => new Conv2d(inChannels, channels, 1, { bias: false })
    this.shortcut =
      inChannels === channels && stride === 1
        ? new Sequential()
        : new Sequential(depthwise(inChannels), new BatchNorm(inChannels), pointwise(), new BatchNorm(channels))
  }

  override forward(x: Value): Value {
    let y = this.ghost1.call(x)
    if (this.conv_dw !== undefined) y = this.bn_dw!.call(this.conv_dw.call(y))
    if (this.se !== undefined) y = this.se.call(y)
    return F.add(this.ghost2.call(y), this.shortcut.call(x))
  }
}

class ConvBnAct extends Module {
  readonly conv: Conv2d
  readonly bn1: BatchNorm

  constructor(inChannels: number, channels: number) {
    super()
    this.conv = new Conv2d(inChannels, channels, 1, { bias: false })
    this.bn1 = new BatchNorm(channels)
  }

  override forward(x: Value): Value {
    return F.relu(this.bn1.call(this.conv.call(x)))
  }
}

/** Stages of blocks: kernel, expansion, channels, squeeze ratio, stride. */
const STAGES = [
  [[3, 16, 16, 0, 1]],
  [[3, 48, 24, 0, 2]],
  [[3, 72, 24, 0, 1]],
  [[5, 72, 40, 0.25, 2]],
  [[5, 120, 40, 0.25, 1]],
  [[3, 240, 80, 0, 2]],
  [
    [3, 200, 80, 0, 1],
    [3, 184, 80, 0, 1],
    [3, 184, 80, 0, 1],
    [3, 480, 112, 0.25, 1],
    [3, 672, 112, 0.25, 1],
  ],
  [[5, 672, 160, 0.25, 2]],
  [
    [5, 960, 160, 0, 1],
    [5, 960, 160, 0.25, 1],
    [5, 960, 160, 0, 1],
    [5, 960, 160, 0.25, 1],
  ],
] as const

class GhostNet extends Module {
  readonly conv_stem: Conv2d
  readonly bn1: BatchNorm
  readonly blocks: Sequential
  readonly output_layer: Sequential

  constructor(config: OutputConfig & { readonly width: number; readonly drop_ratio: number }) {
    super()
    const wide = (channels: number) => divisible(channels * config.width)
    let inChannels = wide(16)
    this.conv_stem = new Conv2d(3, inChannels, 3, { padding: 1, bias: false })
    this.bn1 = new BatchNorm(inChannels)
    const stages = STAGES.map((blocks) => {
      const layers = blocks.map(([kernel, expansion, channels, squeeze, stride]) => {
        const block = new GhostBottleneck(inChannels, wide(expansion), wide(channels), kernel, stride, squeeze)
        inChannels = wide(channels)
        return block
      })
      return new Sequential(...layers)
    })
    this.blocks = new Sequential(...stages, new Sequential(new ConvBnAct(inChannels, wide(960))))
    this.output_layer = outputLayer(wide(960), config.drop_ratio, config)
  }

  override forward(x: Value): Value {
    const stem = F.relu(this.bn1.call(this.conv_stem.call(x)))
    return this.output_layer.call(this.blocks.call(stem))
  }
}

export const ghostNet = defineBackbone({
  name: 'GhostNet',
  summary: 'maps from cheap operations; width scales the channels',
  paper: 'arXiv:1911.11907',
  options: {
    width: z.number().positive().default(1).describe('channel multiplier'),
    drop_ratio: ratio(0.2, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new GhostNet(config),
})
