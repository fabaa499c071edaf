/**
 * Parts that the transformers share.
 * @module
 */
import { Conv2d, Dropout, F, init, LayerNorm, Linear, Module } from '../layers/index.js'
import type { ActivationName, Declaration, Value } from '../layers/index.js'
import { Activation } from '../layers/index.js'

/** Linear layer as the transformers start it: truncated normal weights, bias 0. */
export function linear(inFeatures: number, outFeatures: number, bias = true): Linear {
  return new Linear(inFeatures, outFeatures, { bias, init: { weight: init.truncatedNormal(0.02), bias: init.zeros } })
}

/** Drop rates that grow linearly from 0 to `rate` over `blocks` blocks. */
export function dropPathRates(rate: number, blocks: number): number[] {
  return Array.from({ length: blocks }, (_, i) => (blocks === 1 ? 0 : (rate * i) / (blocks - 1)))
}

/** Non-overlapping patches as tokens: [3, H, W] to [H / patch * W / patch, C]. */
export class PatchEmbed extends Module {
  readonly proj: Conv2d
  readonly norm: LayerNorm | undefined

  constructor(patch: number, channels: number, norm: boolean) {
    super()
    this.proj = new Conv2d(3, channels, patch, { stride: patch })
    this.norm = norm ? new LayerNorm(channels) : undefined
  }

  override forward(x: Value): Value {
    const tokens = F.tokens(this.proj.call(x))
    return this.norm?.call(tokens) ?? tokens
  }
}

/** Two linear layers for each token. */
export class Mlp extends Module {
  readonly fc1: Linear
  readonly act: Activation
  readonly fc2: Linear
  readonly drop: Dropout

  constructor(features: number, hidden: number, activation: ActivationName, dropRate: number) {
    super()
    this.fc1 = linear(features, hidden)
    this.act = new Activation(activation)
    this.fc2 = linear(hidden, features)
    this.drop = new Dropout(dropRate)
  }

  override forward(x: Value): Value {
    const hidden = this.drop.call(this.act.call(this.fc1.call(x)))
    return this.drop.call(this.fc2.call(hidden))
  }
}

/** What the attention of a window adds to its scores. */
export interface AttentionBias {
  readonly bias_table?: Declaration
  readonly index?: Declaration
  readonly mask?: Declaration | undefined
}

/** Multi-head self-attention with its projections. */
export class Attention extends Module {
  readonly qkv: Linear
  readonly proj: Linear
  readonly proj_drop: Dropout
  readonly #heads: number
  readonly #scale: number

  constructor(features: number, heads: number, options: { readonly qkvBias: boolean; readonly dropRate: number }) {
    super()
    this.qkv = linear(features, 3 * features, options.qkvBias)
    this.proj = linear(features, features)
    this.proj_drop = new Dropout(options.dropRate)
    this.#heads = heads
    this.#scale = (features / heads) ** -0.5
  }

  /** What is added to the scores before the softmax; nothing for plain attention. */
  protected bias(): AttentionBias {
    return {}
  }

  override forward(x: Value): Value {
    const attended = x.trace.emit('attention', [this.qkv.call(x)], { heads: this.#heads, scale: this.#scale }, { ...this.bias() })
    return this.proj_drop.call(this.proj.call(attended))
  }
}
