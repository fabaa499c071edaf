/**
 * MobileFaceNet: inverted residuals with PReLU, and a depthwise convolution over the whole last map in the place of
 * pooling. Chen et al., arXiv:1804.07573.
 *
 * insightface's wider ones, mbf and mbf_large, are the same layers with more channels between the blocks: what a block
 * expands to does not grow with them.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Flatten, Linear, Module, PReLU, Sequential } from '../layers/index.js'
import type { ConvOptions, Pair, Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS } from './backbone.js'
import type { OutputConfig } from './output-layer.js'

/** Convolution and batch norm, without activation. */
class LinearBlock extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm

  constructor(inChannels: number, outChannels: number, kernel: Pair, options: ConvOptions = {}) {
    super()
    this.conv = new Conv2d(inChannels, outChannels, kernel, { ...options, bias: false })
    this.bn = new BatchNorm(outChannels)
  }

  override forward(x: Value): Value {
    return this.bn.call(this.conv.call(x))
  }
}

class ConvBlock extends LinearBlock {
  readonly prelu: PReLU

  constructor(inChannels: number, outChannels: number, kernel: Pair, options: ConvOptions = {}) {
    super(inChannels, outChannels, kernel, options)
    this.prelu = new PReLU(outChannels)
  }

  override forward(x: Value): Value {
    return this.prelu.call(super.forward(x))
  }
}

/** Expand, filter each channel, project; with a shortcut where `stride` is 1. */
class DepthWise extends Module {
  readonly conv: ConvBlock
  readonly conv_dw: ConvBlock
  readonly project: LinearBlock
  readonly #residual: boolean

  constructor(inChannels: number, outChannels: number, expanded: number, stride: 1 | 2) {
    super()
    this.conv = new ConvBlock(inChannels, expanded, 1)
    this.conv_dw = new ConvBlock(expanded, expanded, 3, { stride, padding: 1, groups: expanded })
    this.project = new LinearBlock(expanded, outChannels, 1)
    this.#residual = stride === 1
  }

  override forward(x: Value): Value {
    const y = this.project.call(this.conv_dw.call(this.conv.call(x)))
    return this.#residual ? F.add(x, y) : y
  }
}

class Residual extends Module {
  readonly model: Sequential

  constructor(channels: number, blocks: number, expanded: number) {
    super()
    this.model = new Sequential(...Array.from({ length: blocks }, () => new DepthWise(channels, channels, expanded, 1)))
  }

  override forward(x: Value): Value {
    return this.model.call(x)
  }
}

interface MobileFaceNetConfig extends OutputConfig {
  readonly scale: number
  readonly blocks: readonly [number, number, number, number]
}

class MobileFaceNet extends Module {
  readonly conv1: ConvBlock
  readonly conv2_dw: Module
  readonly conv_23: DepthWise
  readonly conv_3: Residual
  readonly conv_34: DepthWise
  readonly conv_4: Residual
  readonly conv_45: DepthWise
  readonly conv_5: Residual
  readonly conv_6_sep: ConvBlock
  readonly conv_6_dw: LinearBlock
  readonly conv_6_flatten = new Flatten()
  readonly linear: Linear
  readonly bn: BatchNorm

  constructor({ scale, blocks, ...output }: MobileFaceNetConfig) {
    super()
    const [narrow, wide] = [64 * scale, 128 * scale]
    this.conv1 = new ConvBlock(3, narrow, 3, { stride: 2, padding: 1 })
    // As published, one block is a convolution of 64 groups whatever the width, and several are inverted residuals.
    this.conv2_dw = blocks[0] === 1 ? new ConvBlock(narrow, narrow, 3, { padding: 1, groups: 64 }) : new Residual(narrow, blocks[0], 128)
    this.conv_23 = new DepthWise(narrow, narrow, 128, 2)
    this.conv_3 = new Residual(narrow, blocks[1], 128)
    this.conv_34 = new DepthWise(narrow, wide, 256, 2)
    this.conv_4 = new Residual(wide, blocks[2], 256)
    this.conv_45 = new DepthWise(wide, wide, 512, 2)
    this.conv_5 = new Residual(wide, blocks[3], 256)
    this.conv_6_sep = new ConvBlock(wide, 512, 1)
    this.conv_6_dw = new LinearBlock(512, 512, [output.out_h, output.out_w], { groups: 512 })
    this.linear = new Linear(512, output.feat_dim, { bias: false })
    this.bn = new BatchNorm(output.feat_dim)
  }

  override forward(x: Value): Value {
    const layers = [
      ...[this.conv1, this.conv2_dw, this.conv_23, this.conv_3, this.conv_34, this.conv_4, this.conv_45, this.conv_5],
      ...[this.conv_6_sep, this.conv_6_dw, this.conv_6_flatten, this.linear, this.bn],
    ]
    return layers.reduce((value: Value, layer: Module) => layer.call(value), x)
  }
}

export const mobileFaceNet = defineBackbone({
  name: 'MobileFaceNet',
  summary: "inverted residuals, 1.2 M parameters; the small network of the table, and insightface's mbf with scale 2",
  paper: 'arXiv:1804.07573',
  options: {
    scale: z.int().min(1).default(1).describe("channel multiplier; insightface's mbf has 2, mbf_large 4"),
    blocks: z
      .tuple([z.int().min(1), z.int().min(1), z.int().min(1), z.int().min(1)])
      .default([1, 4, 6, 2])
      .describe('blocks of the four sizes of maps; mbf_large has 2, 8, 12, 4'),
    ...OUTPUT_OPTIONS,
  },
  create: (config) => new MobileFaceNet(config),
})
