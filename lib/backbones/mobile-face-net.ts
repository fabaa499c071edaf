/**
 * MobileFaceNet: inverted residuals with PReLU, and a depthwise convolution over the whole last map in the place of
 * pooling. Chen et al., arXiv:1804.07573.
 * @module
 */
import { BatchNorm, Conv2d, F, Flatten, Linear, Module, PReLU, Sequential } from '../layers/index.js'
import type { ConvOptions, Pair, Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS } from './backbone.js'

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

class MobileFaceNet extends Module {
  readonly conv1 = new ConvBlock(3, 64, 3, { stride: 2, padding: 1 })
  readonly conv2_dw = new ConvBlock(64, 64, 3, { padding: 1, groups: 64 })
  readonly conv_23 = new DepthWise(64, 64, 128, 2)
  readonly conv_3 = new Residual(64, 4, 128)
  readonly conv_34 = new DepthWise(64, 128, 256, 2)
  readonly conv_4 = new Residual(128, 6, 256)
  readonly conv_45 = new DepthWise(128, 128, 512, 2)
  readonly conv_5 = new Residual(128, 2, 256)
  readonly conv_6_sep = new ConvBlock(128, 512, 1)
  readonly conv_6_dw: LinearBlock
  readonly conv_6_flatten = new Flatten()
  readonly linear: Linear
  readonly bn: BatchNorm

  constructor(featDim: number, outHeight: number, outWidth: number) {
    super()
    this.conv_6_dw = new LinearBlock(512, 512, [outHeight, outWidth], { groups: 512 })
    this.linear = new Linear(512, featDim, { bias: false })
    this.bn = new BatchNorm(featDim)
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
  summary: 'inverted residuals, 1.2 M parameters; the small network of the table',
  paper: 'arXiv:1804.07573',
  options: OUTPUT_OPTIONS,
  create: (config) => new MobileFaceNet(config.feat_dim, config.out_h, config.out_w),
})
