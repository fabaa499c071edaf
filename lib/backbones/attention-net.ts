/**
 * Residual attention network: modules whose mask branch looks at a smaller picture and weights the trunk.
 * Wang et al., arXiv:1704.06904. Attention-56 has one module a stage, Attention-92 has 1, 2 and 3.
 *
 * Every residual block declares its 1 x 1 shortcut, used or not: the published state dict has those entries.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, Sigmoid } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS } from './backbone.js'
import type { OutputConfig } from './output-layer.js'

class ResidualBlock extends Module {
  readonly bn1: BatchNorm
  readonly conv1: Conv2d
  readonly bn2: BatchNorm
  readonly conv2: Conv2d
  readonly bn3: BatchNorm
  readonly conv3: Conv2d
  readonly conv4: Conv2d
  readonly #projects: boolean

  constructor(inChannels: number, channels: number, stride = 1) {
    super()
    const inner = channels / 4
    this.bn1 = new BatchNorm(inChannels)
    this.conv1 = new Conv2d(inChannels, inner, 1, { bias: false })
    this.bn2 = new BatchNorm(inner)
    this.conv2 = new Conv2d(inner, inner, 3, { stride, padding: 1, bias: false })
    this.bn3 = new BatchNorm(inner)
    this.conv3 = new Conv2d(inner, channels, 1, { bias: false })
    this.conv4 = new Conv2d(inChannels, channels, 1, { stride, bias: false })
    this.#projects = inChannels !== channels || stride !== 1
  }

  override forward(x: Value): Value {
    const first = F.relu(this.bn1.call(x))
    const second = F.relu(this.bn2.call(this.conv1.call(first)))
    const third = F.relu(this.bn3.call(this.conv2.call(second)))
    return F.add(this.conv3.call(third), this.#projects ? this.conv4.call(first) : x)
  }
}

const block = (channels: number) => new ResidualBlock(channels, channels)
const twoBlocks = (channels: number) => new Sequential(block(channels), block(channels))
const halve = () => new MaxPool2d(3, { stride: 2, padding: 1 })
/** `x` enlarged to the size of `other`, and `other` added. */
const enlargeOnto = (x: Value, other: Value): Value => F.add(F.upsample(x, other.size, 'bilinear', true), other)
/** The trunk, each element weighted by 1 to 2. */
const weighted = (trunk: Value, mask: Value): Value => F.mul(F.scaleShift(mask, 1, 1), trunk)

function maskEnd(channels: number): Sequential {
  const conv = () => new Conv2d(channels, channels, 1, { bias: false })
  return new Sequential(new BatchNorm(channels), ReLU(), conv(), new BatchNorm(channels), ReLU(), conv(), Sigmoid())
}

/** Mask branch of three halvings. */
class AttentionStage1 extends Module {
  readonly first_residual_blocks: ResidualBlock
  readonly trunk_branches: Sequential
  readonly mpool = halve()
  readonly softmax1_blocks: ResidualBlock
  readonly skip1_connection_residual_block: ResidualBlock
  readonly softmax2_blocks: ResidualBlock
  readonly skip2_connection_residual_block: ResidualBlock
  readonly softmax3_blocks: Sequential
  readonly softmax4_blocks: ResidualBlock
  readonly softmax5_blocks: ResidualBlock
  readonly softmax6_blocks: Sequential
  readonly last_blocks: ResidualBlock

  constructor(channels: number) {
    super()
    this.first_residual_blocks = block(channels)
    this.trunk_branches = twoBlocks(channels)
    this.softmax1_blocks = block(channels)
    this.skip1_connection_residual_block = block(channels)
    this.softmax2_blocks = block(channels)
    this.skip2_connection_residual_block = block(channels)
    this.softmax3_blocks = twoBlocks(channels)
    this.softmax4_blocks = block(channels)
    this.softmax5_blocks = block(channels)
    this.softmax6_blocks = maskEnd(channels)
    this.last_blocks = block(channels)
  }

  override forward(input: Value): Value {
    const x = this.first_residual_blocks.call(input)
    const trunk = this.trunk_branches.call(x)
    const half = this.softmax1_blocks.call(this.mpool.call(x))
    const quarter = this.softmax2_blocks.call(this.mpool.call(half))
    const eighth = this.softmax3_blocks.call(this.mpool.call(quarter))
    const toQuarter = F.add(enlargeOnto(eighth, quarter), this.skip2_connection_residual_block.call(quarter))
    const onHalf = enlargeOnto(this.softmax4_blocks.call(toQuarter), half)
    const toHalf = F.add(onHalf, this.skip1_connection_residual_block.call(half))
    const mask = this.softmax6_blocks.call(enlargeOnto(this.softmax5_blocks.call(toHalf), trunk))
    return this.last_blocks.call(weighted(trunk, mask))
  }
}

/** Mask branch of two halvings. */
class AttentionStage2 extends Module {
  readonly first_residual_blocks: ResidualBlock
  readonly trunk_branches: Sequential
  readonly mpool = halve()
  readonly softmax1_blocks: ResidualBlock
  readonly skip1_connection_residual_block: ResidualBlock
  readonly softmax2_blocks: Sequential
  readonly softmax3_blocks: ResidualBlock
  readonly softmax4_blocks: Sequential
  readonly last_blocks: ResidualBlock

  constructor(channels: number) {
    super()
    this.first_residual_blocks = block(channels)
    this.trunk_branches = twoBlocks(channels)
    this.softmax1_blocks = block(channels)
    this.skip1_connection_residual_block = block(channels)
    this.softmax2_blocks = twoBlocks(channels)
    this.softmax3_blocks = block(channels)
    this.softmax4_blocks = maskEnd(channels)
    this.last_blocks = block(channels)
  }

  override forward(input: Value): Value {
    const x = this.first_residual_blocks.call(input)
    const trunk = this.trunk_branches.call(x)
    const half = this.softmax1_blocks.call(this.mpool.call(x))
    const quarter = this.softmax2_blocks.call(this.mpool.call(half))
    const toHalf = F.add(enlargeOnto(quarter, half), this.skip1_connection_residual_block.call(half))
    const mask = this.softmax4_blocks.call(enlargeOnto(this.softmax3_blocks.call(toHalf), trunk))
    return this.last_blocks.call(weighted(trunk, mask))
  }
}

/** Mask branch of one halving. */
class AttentionStage3 extends Module {
  readonly first_residual_blocks: ResidualBlock
  readonly trunk_branches: Sequential
  readonly mpool = halve()
  readonly softmax1_blocks: Sequential
  readonly softmax2_blocks: Sequential
  readonly last_blocks: ResidualBlock

  constructor(channels: number) {
    super()
    this.first_residual_blocks = block(channels)
    this.trunk_branches = twoBlocks(channels)
    this.softmax1_blocks = twoBlocks(channels)
    this.softmax2_blocks = maskEnd(channels)
    this.last_blocks = block(channels)
  }

  override forward(input: Value): Value {
    const x = this.first_residual_blocks.call(input)
    const trunk = this.trunk_branches.call(x)
    const half = this.softmax1_blocks.call(this.mpool.call(x))
    const mask = this.softmax2_blocks.call(enlargeOnto(half, trunk))
    return this.last_blocks.call(weighted(trunk, mask))
  }
}

interface AttentionNetConfig extends OutputConfig {
  readonly stage1_modules: number
  readonly stage2_modules: number
  readonly stage3_modules: number
}

const repeat = (count: number, make: () => Module) => Array.from({ length: count }, make)

class AttentionNet extends Module {
  readonly conv1 = new Sequential(new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }), new BatchNorm(64), ReLU())
  readonly attention_body: Sequential
  readonly output_layer: Sequential

  constructor(config: AttentionNetConfig) {
    super()
    this.attention_body = new Sequential(
      new ResidualBlock(64, 256),
      ...repeat(config.stage1_modules, () => new AttentionStage1(256)),
      new ResidualBlock(256, 512, 2),
      ...repeat(config.stage2_modules, () => new AttentionStage2(512)),
      new ResidualBlock(512, 1024, 2),
      ...repeat(config.stage3_modules, () => new AttentionStage3(1024)),
      new ResidualBlock(1024, 2048, 2),
      block(2048),
      block(2048),
    )
    this.output_layer = new Sequential(
      new Flatten(),
      new Linear(2048 * config.out_h * config.out_w, config.feat_dim, { bias: false }),
      new BatchNorm(config.feat_dim),
    )
  }

  override forward(x: Value): Value {
    return this.output_layer.call(this.attention_body.call(this.conv1.call(x)))
  }
}

const modules = (stage: number) => z.int().min(0).default(1).describe(`attention modules of stage ${stage}`)

export const attentionNet = defineBackbone({
  name: 'AttentionNet',
  summary: 'residual attention network; Attention-56 by default, Attention-92 with 1, 2 and 3 modules',
  paper: 'arXiv:1704.06904',
  options: { stage1_modules: modules(1), stage2_modules: modules(2), stage3_modules: modules(3), ...OUTPUT_OPTIONS },
  create: (config) => new AttentionNet(config),
})
