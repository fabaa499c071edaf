/** Modules that only hold others: a chain and a list. @module */
import { Module } from './module.js'
import type { AnyModule } from './module.js'
import type { Value } from './trace.js'

/** Layers one after the other, named 0, 1, 2, ... or by the keys of an object. Empty it is the identity. */
export class Sequential extends Module {
  readonly #layers: readonly (readonly [string, Module])[]

  constructor(...layers: readonly Module[] | readonly [Readonly<Record<string, Module>>]) {
    super()
    const [first] = layers
    const named = layers.length === 1 && first !== undefined && !(first instanceof Module)
    this.#layers = Object.entries(named ? first : (layers as readonly Module[]))
  }

  override children(): Iterable<readonly [string, Module]> {
    return this.#layers
  }

  override forward(x: Value): Value {
    return this.#layers.reduce((value, [, layer]) => layer.call(value), x)
  }
}

/** Layers that their parent calls itself, named by their index. Gaps (undefined) keep the indices of the others. */
export class ModuleList<Child extends AnyModule = Module> extends Module<never, never> {
  constructor(readonly list: readonly (Child | undefined)[]) {
    super()
  }

  override *children(): Iterable<readonly [string, Child]> {
    for (const [index, layer] of this.list.entries()) {
      if (layer !== undefined) yield [String(index), layer]
    }
  }

  override forward(): never {
    throw new TypeError('a ModuleList is not called: its parent calls the layers in it')
  }
}
