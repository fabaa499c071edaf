/**
 * EfficientNet with width and depth multipliers; B0 is both at 1. Tan and Le, arXiv:1905.11946.
 *
 * The stem has stride 1 here. Its paddings are nevertheless those of a stem with stride 2, as in the published models,
 * whose fully connected layer of 1000 classes is part of the state dict too although nothing calls it.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, DropPath, F, Linear, Module, ModuleList } from '../layers/index.js'
import type { ConvOptions, Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

type Size = readonly [height: number, width: number]

const batchNorm = (channels: number): BatchNorm => new BatchNorm(channels, { eps: 1e-3, momentum: 1 - 0.99 })

const reduced = (size: Size, stride: number): Size => [Math.ceil(size[0] / stride), Math.ceil(size[1] / stride)]

/** Convolution with TensorFlow's "same" padding for maps of `size`: where it is odd, the larger half comes last. */
class SameConv extends Conv2d {
  readonly #padding: { left: number; right: number; top: number; bottom: number } | undefined

  constructor(inChannels: number, channels: number, kernel: number, size: Size, options: ConvOptions & { readonly stride?: number } = {}) {
    const stride = options.stride ?? 1
    const needed = size.map((extent) => Math.max((Math.ceil(extent / stride) - 1) * stride + kernel - extent, 0)) as [number, number]
    const even = needed.every((total) => total % 2 === 0)
    super(inChannels, channels, kernel, { bias: false, ...options, padding: even ? [needed[0] / 2, needed[1] / 2] : 0 })
    const [top, left] = needed.map((total) => Math.floor(total / 2)) as [number, number]
    this.#padding = even ? undefined : { left, right: needed[1] - left, top, bottom: needed[0] - top }
  }

  override forward(x: Value): Value {
    return super.forward(this.#padding === undefined ? x : F.pad(x, this.#padding))
  }
}

interface BlockConfig {
  readonly inChannels: number
  readonly channels: number
  readonly kernel: number
  readonly stride: number
  readonly expand: number
  readonly skip: boolean
  readonly dropPath: number
  readonly size: Size
}

/** Mobile inverted bottleneck with squeeze-and-excitation. */
class MBConv extends Module {
  readonly _expand_conv: Conv2d | undefined
  readonly _bn0: BatchNorm | undefined
  readonly _depthwise_conv: Conv2d
  readonly _bn1: BatchNorm
  readonly _se_reduce: Conv2d
  readonly _se_expand: Conv2d
  readonly _project_conv: Conv2d
  readonly _bn2: BatchNorm
  readonly drop_path: DropPath | undefined

  constructor({ inChannels, channels, kernel, stride, expand, skip, dropPath, size }: BlockConfig) {
    super()
    const expanded = inChannels * expand
    this._expand_conv = expand === 1 ? undefined : new Conv2d(inChannels, expanded, 1, { bias: false })
    this._bn0 = expand === 1 ? undefined : batchNorm(expanded)
    this._depthwise_conv = new SameConv(expanded, expanded, kernel, size, { stride, groups: expanded })
    this._bn1 = batchNorm(expanded)
    const squeezed = Math.max(1, Math.trunc(inChannels * 0.25))
    this._se_reduce = new Conv2d(expanded, squeezed, 1)
    this._se_expand = new Conv2d(squeezed, expanded, 1)
    this._project_conv = new Conv2d(expanded, channels, 1, { bias: false })
    this._bn2 = batchNorm(channels)
    this.drop_path = skip ? new DropPath(dropPath) : undefined
  }

  override forward(x: Value): Value {
    let y = x
    if (this._expand_conv !== undefined) y = F.silu(this._bn0!.call(this._expand_conv.call(y)))
    y = F.silu(this._bn1.call(this._depthwise_conv.call(y)))
    const gate = this._se_expand.call(F.silu(this._se_reduce.call(F.globalAvgPool(y))))
    y = this._bn2.call(this._project_conv.call(F.mul(y, F.sigmoid(gate))))
    return this.drop_path === undefined ? y : F.add(this.drop_path.call(y), x)
  }
}

/** Stages of B0: blocks, kernel, stride, expansion, channels. */
const STAGES = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
] as const

/** Highest drop rate of a residual branch; it grows linearly with depth. */
const DROP_CONNECT = 0.2

interface EfficientNetConfig extends OutputConfig {
  readonly width: number
  readonly depth: number
  readonly image_size: number | [number, number]
  readonly drop_ratio: number
}

class EfficientNet extends Module {
  readonly _conv_stem: Conv2d
  readonly _bn0: BatchNorm
  readonly _blocks: ModuleList
  readonly _conv_head: Conv2d
  readonly _bn1: BatchNorm
  /** In the published state dict, in no output. */
  readonly _fc: Linear
  readonly output_layer: Module

  constructor(config: EfficientNetConfig) {
    super()
    const size: Size = typeof config.image_size === 'number' ? [config.image_size, config.image_size] : config.image_size
    const stem = scaled(32, config.width)
    this._conv_stem = new SameConv(3, stem, 3, size)
    this._bn0 = batchNorm(stem)
    this._blocks = new ModuleList(blocks(stem, reduced(size, 2), config))
    const last = scaled(STAGES.at(-1)![4], config.width)
    const head = scaled(1280, config.width)
    this._conv_head = new Conv2d(last, head, 1, { bias: false })
    this._bn1 = batchNorm(head)
    this._fc = new Linear(head, 1000)
    this.output_layer = outputLayer(head, config.drop_ratio, config)
  }

  override forward(x: Value): Value {
    let y = F.silu(this._bn0.call(this._conv_stem.call(x)))
    for (const block of this._blocks.list) y = block!.call(y)
    return this.output_layer.call(F.silu(this._bn1.call(this._conv_head.call(y))))
  }
}

function blocks(stem: number, stemSize: Size, { width, depth }: EfficientNetConfig): MBConv[] {
  const counts = STAGES.map(([count]) => Math.ceil(count * depth))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const result: MBConv[] = []
  let [inChannels, size] = [stem, stemSize]
  for (const [index, [, kernel, firstStride, expand, base]] of STAGES.entries()) {
    const channels = scaled(base, width)
    for (let i = 0; i < counts[index]!; i++) {
      const stride = i === 0 ? firstStride : 1
      const dropPath = (DROP_CONNECT * result.length) / total
      result.push(new MBConv({ inChannels, channels, kernel, stride, expand, skip: i > 0, dropPath, size }))
      size = reduced(size, stride)
      inChannels = channels
    }
  }
  return result
}

/** Channels times `width`, rounded to a multiple of 8 without losing more than a tenth. */
function scaled(channels: number, width: number): number {
  const wanted = channels * width
  const rounded = Math.max(8, Math.floor(Math.trunc(wanted + 4) / 8) * 8)
  return rounded < 0.9 * wanted ? rounded + 8 : rounded
}

export const efficientNet = defineBackbone({
  name: 'EfficientNet',
  summary: 'mobile bottlenecks scaled by width and depth; B0 by default',
  paper: 'arXiv:1905.11946',
  options: {
    width: z.number().positive().default(1).describe('channel multiplier: B0 1.0, B1 1.0, B2 1.1, B3 1.2, B4 1.4'),
    depth: z.number().positive().default(1).describe('depth multiplier: B0 1.0, B1 1.1, B2 1.2, B3 1.4, B4 1.8'),
    image_size: z
      .union([z.int().min(16), z.tuple([z.int().min(16), z.int().min(16)])])
      .default(112)
      .describe('size that the paddings are computed for, a number or [height, width]'),
    drop_ratio: ratio(0.2, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new EfficientNet(config),
})
