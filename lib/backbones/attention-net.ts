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
const repeat = (count: number, make: () => Module) => Array.from({ length: count }, make)
/** `x` enlarged to the size of `other`, and `other` added. */
const enlargeOnto = (x: Value, other: Value): Value => F.add(F.upsample(x, other.size, 'bilinear', true), other)
/** The trunk, each element weighted by 1 to 2. */
const weighted = (trunk: Value, mask: Value): Value => F.mul(F.scaleShift(mask, 1, 1), trunk)

function maskEnd(channels: number): Sequential {
  const conv = () => new Conv2d(channels, channels, 1, { bias: false })
  return new Sequential(new BatchNorm(channels), ReLU(), conv(), new BatchNorm(channels), ReLU(), conv(), Sigmoid())
}

/**
 * A trunk of two blocks, weighted by a mask from a picture that is halved some times and enlarged again.
 *
 * The state dict numbers the blocks of the mask as published: on the way down, on the way up, and its end.
 */
class AttentionModule extends Module {
  readonly #first: Module
  readonly #trunk: Module
  readonly #halve = new MaxPool2d(3, { stride: 2, padding: 1 })
  /** One for each halving, the finest first. */
  readonly #down: readonly Module[]
  /** From a level of the way down to the same level of the way up; the coarsest has none. */
  readonly #skips: readonly Module[]
  /** The coarsest first. */
  readonly #up: readonly Module[]
  readonly #end: Module
  readonly #last: Module

  constructor(channels: number, halvings: number) {
    super()
    const between = () => repeat(halvings - 1, () => block(channels))
    this.#first = block(channels)
    this.#trunk = twoBlocks(channels)
    this.#down = [...between(), twoBlocks(channels)]
    this.#skips = between()
    this.#up = between()
    this.#end = maskEnd(channels)
    this.#last = block(channels)
  }

  override *children(): Iterable<readonly [string, Module]> {
    const halvings = this.#down.length
    yield* [['first_residual_blocks', this.#first], ['trunk_branches', this.#trunk], ['mpool', this.#halve]] as const
    for (const [i, down] of this.#down.entries()) {
      yield [`softmax${i + 1}_blocks`, down]
      if (i < halvings - 1) yield [`skip${i + 1}_connection_residual_block`, this.#skips[i]!]
    }
    for (const [i, up] of this.#up.entries()) yield [`softmax${halvings + 1 + i}_blocks`, up]
    yield* [[`softmax${2 * halvings}_blocks`, this.#end], ['last_blocks', this.#last]] as const
  }

  override forward(input: Value): Value {
    const x = this.#first.call(input)
    const trunk = this.#trunk.call(x)
    const levels: Value[] = []
    for (const down of this.#down) levels.push(down.call(this.#halve.call(levels.at(-1) ?? x)))
    let mask = levels.at(-1)!
    for (const [i, up] of this.#up.entries()) {
      const level = levels.at(-2 - i)!
      mask = up.call(F.add(enlargeOnto(mask, level), this.#skips.at(-1 - i)!.call(level)))
    }
    return this.#last.call(weighted(trunk, this.#end.call(enlargeOnto(mask, trunk))))
  }
}

interface AttentionNetConfig extends OutputConfig {
  readonly stage1_modules: number
  readonly stage2_modules: number
  readonly stage3_modules: number
}

class AttentionNet extends Module {
  readonly conv1 = new Sequential(new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }), new BatchNorm(64), ReLU())
  readonly attention_body: Sequential
  readonly output_layer: Sequential

  constructor(config: AttentionNetConfig) {
    super()
    this.attention_body = new Sequential(
      new ResidualBlock(64, 256),
      ...repeat(config.stage1_modules, () => new AttentionModule(256, 3)),
      new ResidualBlock(256, 512, 2),
      ...repeat(config.stage2_modules, () => new AttentionModule(512, 2)),
      new ResidualBlock(512, 1024, 2),
      ...repeat(config.stage3_modules, () => new AttentionModule(1024, 1)),
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
