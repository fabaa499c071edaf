/** Activations as layers. @module */
import { constant } from './init.js'
import { Module } from './module.js'
import type { Declaration, Value } from './trace.js'

/** Activations without parameters. */
export type ActivationName = 'relu' | 'relu6' | 'sigmoid' | 'silu' | 'hard_sigmoid' | 'hard_swish' | 'gelu'

/** An activation by the name of its op. */
export class Activation extends Module {
  readonly #op: ActivationName

  constructor(op: ActivationName) {
    super()
    this.#op = op
  }

  override forward(x: Value): Value {
    return x.trace.emit(this.#op, [x])
  }
}

export const ReLU = () => new Activation('relu')
export const ReLU6 = () => new Activation('relu6')
export const Sigmoid = () => new Activation('sigmoid')
export const SiLU = () => new Activation('silu')
export const GELU = () => new Activation('gelu')

/** ReLU with a learned slope for negative values, one a channel. */
export class PReLU extends Module {
  readonly weight: Declaration

  constructor(channels: number) {
    super()
    this.weight = this.parameter('weight', [channels], constant(0.25))
  }

  override forward(x: Value): Value {
    return x.trace.emit('prelu', [x], {}, { weight: this.weight })
  }
}
