/**
 * What happens while a network's forward runs: values flow through layers, and every operation on them becomes a node.
 * @module
 */
import { FacexError, received } from '../errors.js'
import type { GraphBuilder } from '../graph/builder.js'
import type { Attribute, Initializer, Node, Shape, StateEntry } from '../graph/types.js'

/** A parameter or buffer as a layer declares it; the tree gives it its full name. */
export interface Declaration {
  readonly name: string
  readonly shape: readonly number[]
  readonly kind: StateEntry['kind']
  readonly dtype: StateEntry['dtype']
  readonly init: Initializer
}

/** A tensor inside the network, known by its shape only. */
export class Value {
  constructor(
    readonly trace: Trace,
    readonly node: Node,
  ) {}

  get shape(): Shape {
    return this.node.shape
  }

  /** Dimensions without the batch: `[C, H, W]`, `[T, C]` or `[C]`. */
  get dims(): readonly number[] {
    return this.node.shape.dims
  }

  /** Height and width of an image `[C, H, W]`. */
  get size(): readonly [number, number] {
    return [this.dims[1]!, this.dims[2]!]
  }
}

/** Not by class: an extension may bring another copy of facex. */
export function isValue(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && 'node' in value && 'trace' in value
}

/** The parameters of an operation by role; absent ones are left out of the node. */
export type Roles = Readonly<Record<string, Declaration | undefined>>

/** One run of forward over a tree of layers. */
export class Trace {
  readonly #running: string[] = []

  constructor(
    readonly builder: GraphBuilder,
    /** Path of every layer of the tree. */
    readonly paths: ReadonlyMap<object, string>,
    /** Full name of every state entry of the tree. */
    readonly names: ReadonlyMap<Declaration, string>,
  ) {}

  /** Runs `forward` of `layer`, so that the nodes added meanwhile carry the layer's path. */
  within<Result>(layer: object, forward: () => Result): Result {
    const path = this.paths.get(layer)
    if (path === undefined) {
      const where = this.#running.at(-1) || this.builder.name
      throw new FacexError('ERR_GRAPH', `${where}: a ${layer.constructor.name} was called that is no property of its module; make it one in the constructor (several in a Sequential or ModuleList)`)
    }
    this.#running.push(path)
    try {
      const result = forward()
      if (result === undefined) throw new FacexError('ERR_GRAPH', `${path || this.builder.name}: forward of ${layer.constructor.name} returned nothing`)
      return result
    } finally {
      this.#running.pop()
    }
  }

  /** Adds a node under the layer that is running. */
  emit(op: string, inputs: readonly Value[], attrs: Readonly<Record<string, Attribute>> = {}, roles: Roles = {}): Value {
    const params: Record<string, string> = {}
    for (const [role, declaration] of Object.entries(roles)) {
      if (declaration !== undefined) params[role] = this.names.get(declaration)!
    }
    const path = this.#running.at(-1) ?? ''
    const nodes = inputs.map((value: unknown) => {
      if (isValue(value)) return value.node
      throw new FacexError('ERR_GRAPH', `${path || this.builder.name}: ${op} takes what layers return, got ${received(value)}`)
    })
    return new Value(this, this.builder.add({ op, inputs: nodes, params, attrs, path }))
  }
}
