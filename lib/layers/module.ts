/**
 * The base of all layers: a tree that names its parameters as PyTorch does.
 *
 * A layer is a class whose properties are its children. Names come from the properties in the order in which they were
 * made (with TypeScript field declarations: in the order of the declarations), so a network written attribute by
 * attribute like its PyTorch original has the same state dict. `forward` says what happens; `call` runs it.
 * @module
 */
import { FacexError, received } from '../errors.js'
import type { Initializer } from '../graph/types.js'
import { isValue } from './trace.js'
import type { Declaration, Value } from './trace.js'

type Argument = Value | readonly Value[]

export abstract class Module<Inputs extends readonly Argument[] = readonly [Value], Output = Value> {
  readonly #parameters: Declaration[] = []
  readonly #buffers: Declaration[] = []

  /** What the layer computes. Call layers with {@link call}, never forward itself. */
  abstract forward(...inputs: Inputs): Output

  /** Runs the layer on values of a network that is being built. Throws ERR_GRAPH where shapes do not fit. */
  call(...inputs: Inputs): Output {
    const first: unknown = inputs.flat()[0]
    if (!isValue(first)) throw new FacexError('ERR_GRAPH', `a ${this.constructor.name} was called with ${received(first)}, expected what another layer returned`)
    return first.trace.within(this, () => this.forward(...inputs))
  }

  /** Children by name, in order. */
  *children(): Iterable<readonly [string, AnyModule]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value]
    }
  }

  /** Own entries of the state dict: parameters, then buffers. */
  get state(): readonly Declaration[] {
    return [...this.#parameters, ...this.#buffers]
  }

  /** Declares a parameter. A frozen one keeps its place in the state dict but is never trained. */
  protected parameter(name: string, shape: readonly number[], init: Initializer, options: { frozen?: boolean } = {}): Declaration {
    const declaration: Declaration = { name, shape, kind: options.frozen === true ? 'buffer' : 'parameter', dtype: 'float', init }
    this.#parameters.push(declaration)
    return declaration
  }

  /** Declares state without gradient, such as running statistics or a fixed table. */
  protected buffer(name: string, shape: readonly number[], init: Initializer, dtype: Declaration['dtype'] = 'float'): Declaration {
    const declaration: Declaration = { name, shape, kind: 'buffer', dtype, init }
    this.#buffers.push(declaration)
    return declaration
  }
}

/** A module of any signature, as a child in the tree. */
export type AnyModule = Module<any, any>
