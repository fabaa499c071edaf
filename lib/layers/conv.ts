/** Convolution. @module */
import type { Initializer } from '../graph/types.js'
import { defaultUniform } from './init.js'
import { Module } from './module.js'
import type { Declaration, Value } from './trace.js'

/** One number for both directions, or `[height, width]`. */
export type Pair = number | readonly [number, number]

export const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value)

export interface ConvOptions {
  readonly stride?: Pair
  readonly padding?: Pair
  readonly dilation?: Pair
  readonly groups?: number
  readonly bias?: boolean
  /** First values; PyTorch's default where they are left out. */
  readonly init?: { readonly weight?: Initializer; readonly bias?: Initializer }
}

/** 2-D convolution, [I, H, W] to [O, H', W']; weight [O, I / groups, kh, kw]. */
export class Conv2d extends Module {
  readonly weight: Declaration
  readonly bias: Declaration | undefined
  readonly #attrs

  constructor(inChannels: number, outChannels: number, kernel: Pair, options: ConvOptions = {}) {
    super()
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, init = {} } = options
    const shape = [outChannels, inChannels / groups, ...pair(kernel)]
    this.weight = this.parameter('weight', shape, init.weight ?? defaultUniform(shape))
    this.bias = bias ? this.parameter('bias', [outChannels], init.bias ?? defaultUniform(shape)) : undefined
    this.#attrs = { stride: pair(stride), padding: pair(padding), dilation: pair(dilation), groups }
  }

  override forward(x: Value): Value {
    return x.trace.emit('conv2d', [x], this.#attrs, { weight: this.weight, bias: this.bias })
  }
}
