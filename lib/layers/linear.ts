/** Fully connected layer. @module */
import type { Initializer } from '../graph/types.js'
import { defaultUniform } from './init.js'
import { Module } from './module.js'
import type { Declaration, Value } from './trace.js'

export interface LinearOptions {
  readonly bias?: boolean
  readonly init?: { readonly weight?: Initializer; readonly bias?: Initializer }
}

/** x W^T + b over the last dimension; weight [O, I]. */
export class Linear extends Module {
  readonly weight: Declaration
  readonly bias: Declaration | undefined

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super()
    const { bias = true, init = {} } = options
    const shape = [outFeatures, inFeatures]
    this.weight = this.parameter('weight', shape, init.weight ?? defaultUniform(shape))
    this.bias = bias ? this.parameter('bias', [outFeatures], init.bias ?? defaultUniform(shape)) : undefined
  }

  override forward(x: Value): Value {
    return x.trace.emit('linear', [x], {}, { weight: this.weight, bias: this.bias })
  }
}
