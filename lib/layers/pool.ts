/** Pooling layers. @module */
import { pair } from './conv.js'
import type { Pair } from './conv.js'
import { Module } from './module.js'
import type { Value } from './trace.js'

export interface PoolOptions {
  /** The kernel's size where it is left out. */
  readonly stride?: Pair
  readonly padding?: Pair
  readonly ceilMode?: boolean
}

const poolAttributes = (kernel: Pair, { stride = kernel, padding = 0, ceilMode = false }: PoolOptions) => ({
  kernel: pair(kernel),
  stride: pair(stride),
  padding: pair(padding),
  ceil_mode: ceilMode,
})

export class MaxPool2d extends Module {
  readonly #attrs

  constructor(kernel: Pair, options: PoolOptions = {}) {
    super()
    this.#attrs = poolAttributes(kernel, options)
  }

  override forward(x: Value): Value {
    return x.trace.emit('max_pool2d', [x], this.#attrs)
  }
}

export class AvgPool2d extends Module {
  readonly #attrs

  constructor(kernel: Pair, options: PoolOptions & { readonly countIncludePad?: boolean } = {}) {
    super()
    this.#attrs = { ...poolAttributes(kernel, options), count_include_pad: options.countIncludePad ?? true }
  }

  override forward(x: Value): Value {
    return x.trace.emit('avg_pool2d', [x], this.#attrs)
  }
}
