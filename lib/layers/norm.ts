/** Normalisation layers. @module */
import { ones, zeros } from './init.js'
import { Module } from './module.js'
import type { Declaration, Value } from './trace.js'

export interface BatchNormOptions {
  readonly eps?: number
  readonly momentum?: number
  /** Keeps the weight at 1 for good: its place in the state dict stays, it is not trained. */
  readonly frozenWeight?: boolean
}

/** Batch normalisation of images [C, H, W] (BatchNorm2d) and of vectors [C] (BatchNorm1d). */
export class BatchNorm extends Module {
  readonly weight: Declaration
  readonly bias: Declaration
  readonly running_mean: Declaration
  readonly running_var: Declaration
  readonly num_batches_tracked: Declaration
  readonly #attrs

  constructor(channels: number, options: BatchNormOptions = {}) {
    super()
    const { eps = 1e-5, momentum = 0.1, frozenWeight = false } = options
    this.weight = this.parameter('weight', [channels], ones, { frozen: frozenWeight })
    this.bias = this.parameter('bias', [channels], zeros)
    this.running_mean = this.buffer('running_mean', [channels], zeros)
    this.running_var = this.buffer('running_var', [channels], ones)
    this.num_batches_tracked = this.buffer('num_batches_tracked', [], zeros, 'int64')
    this.#attrs = { eps, momentum }
  }

  override forward(x: Value): Value {
    const { weight, bias, running_mean, running_var, num_batches_tracked } = this
    return x.trace.emit('batch_norm', [x], this.#attrs, { weight, bias, running_mean, running_var, num_batches_tracked })
  }
}

/** Normalisation over the last dimension, for token sequences [T, C]. */
export class LayerNorm extends Module {
  readonly weight: Declaration
  readonly bias: Declaration
  readonly #attrs

  constructor(features: number, options: { readonly eps?: number } = {}) {
    super()
    this.weight = this.parameter('weight', [features], ones)
    this.bias = this.parameter('bias', [features], zeros)
    this.#attrs = { eps: options.eps ?? 1e-5 }
  }

  override forward(x: Value): Value {
    return x.trace.emit('layer_norm', [x], this.#attrs, { weight: this.weight, bias: this.bias })
  }
}
