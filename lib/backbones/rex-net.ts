/**
 * ReXNet: inverted residuals whose channels grow linearly from block to block. Han et al., arXiv:2007.00992.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Module, ReLU, ReLU6, Sequential, Sigmoid, SiLU } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import { outputLayer } from './output-layer.js'
import type { OutputConfig } from './output-layer.js'

class SE extends Module {
  readonly fc: Sequential

  constructor(channels: number, ratio: number) {
    super()
    const squeezed = Math.floor(channels / ratio)
    this.fc = new Sequential(new Conv2d(channels, squeezed, 1), new BatchNorm(squeezed), ReLU(), new Conv2d(squeezed, channels, 1), Sigmoid())
  }

  override forward(x: Value): Value {
    return F.mul(x, this.fc.call(F.globalAvgPool(x)))
  }
}

const pointwise = (inChannels: number, channels: number) => [new Conv2d(inChannels, channels, 1, { bias: false }), new BatchNorm(channels)]

class LinearBottleneck extends Module {
  readonly out: Sequential
  readonly #shortcut: boolean

  constructor(inChannels: number, channels: number, expand: number, stride: number, seRatio: number | undefined) {
    super()
    const width = inChannels * expand
    this.#shortcut = stride === 1 && inChannels <= channels
    this.out = new Sequential(
      ...(expand === 1 ? [] : [...pointwise(inChannels, width), SiLU()]),
      new Conv2d(width, width, 3, { stride, padding: 1, groups: width, bias: false }),
      new BatchNorm(width),
      ...(seRatio === undefined ? [] : [new SE(width, seRatio)]),
      ReLU6(),
      ...pointwise(width, channels),
    )
  }

  override forward(x: Value): Value {
    const y = this.out.call(x)
    return this.#shortcut ? F.addChannels(y, x) : y
  }
}

/** Stages: blocks, stride of the first, whether they may have squeeze-and-excitation. */
const STAGES = [
  [1, 1, false],
  [2, 2, false],
  [2, 2, true],
  [3, 2, true],
  [3, 1, true],
  [5, 2, true],
] as const

interface ReXNetConfig extends OutputConfig {
  readonly input_ch: number
  readonly final_ch: number
  readonly width_mult: number
  readonly depth_mult: number
  readonly use_se: 0 | 1 | boolean
  readonly se_ratio: number
  readonly dropout_ratio: number
}

class ReXNet extends Module {
  readonly features: Sequential
  readonly output_layer: Sequential

  constructor(config: ReXNetConfig) {
    super()
    const { width_mult: widthMult } = config
    const stages = STAGES.map(([count, stride, squeeze]) => ({ count: Math.ceil(count * config.depth_mult), stride, squeeze }))
    const total = stages.reduce((sum, stage) => sum + stage.count, 0)
    // A multiplier below 1 leaves the stem and the first block as wide as they are.
    let planes = widthMult < 1 ? config.input_ch / widthMult : config.input_ch
    let inChannels = halfToEven((widthMult < 1 ? 32 / widthMult : 32) * widthMult)
    const stem = [new Conv2d(3, inChannels, 3, { padding: 1, bias: false }), new BatchNorm(inChannels), SiLU()]
    const blocks: LinearBottleneck[] = []
    for (const { count, stride, squeeze } of stages) {
      for (let i = 0; i < count; i++) {
        if (blocks.length > 0) planes += config.final_ch / total
        const channels = halfToEven(planes * widthMult)
        const seRatio = squeeze && Boolean(config.use_se) ? config.se_ratio : undefined
        // The first stage does not expand.
        const expand = blocks.length < stages[0]!.count ? 1 : 6
        blocks.push(new LinearBottleneck(inChannels, channels, expand, i === 0 ? stride : 1, seRatio))
        inChannels = channels
      }
    }
    const last = Math.trunc(512 * widthMult)
    this.features = new Sequential(...stem, ...blocks, ...pointwise(inChannels, last), SiLU())
    this.output_layer = outputLayer(last, config.dropout_ratio, config)
  }

  override forward(x: Value): Value {
    return this.output_layer.call(this.features.call(x))
  }
}

/** Rounds halves to the even neighbour, as Python's round does and the published channels need. */
function halfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

export const reXNet = defineBackbone({
  name: 'ReXNet',
  summary: 'channels that grow linearly with depth; with or without squeeze-and-excitation',
  paper: 'arXiv:2007.00992',
  options: {
    input_ch: z.int().min(1).default(16).describe('channels of the first block'),
    final_ch: z.int().min(1).default(180).describe('channels that the blocks gain in all'),
    width_mult: z.number().positive().default(1).describe('channel multiplier'),
    depth_mult: z.number().positive().default(1).describe('depth multiplier'),
    use_se: z.literal([0, 1, false, true]).default(0).describe('squeeze-and-excitation'),
    se_ratio: z.int().min(1).default(12).describe('its reduction'),
    dropout_ratio: ratio(0.2, 'dropout before the embedding'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new ReXNet(config),
})
