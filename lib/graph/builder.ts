/**
 * Builds a graph node by node, checking each against the op table as it is added.
 *
 * Knows nothing of layers: whoever adds a node says which layer path it belongs to.
 * @module
 */
import { FacexError, received, unknownName } from '../errors.js'
import { findOp, ops } from './ops.js'
import type { AttributeSpec, Op } from './ops.js'
import { formatDims, formatShape, isExtent, ShapeMistake } from './shape.js'
import type { NodeView } from './shape.js'
import type { Attribute, Graph, Node, Shape, StateEntry } from './types.js'

/** A node to be added. */
export interface NodeRequest {
  readonly op: string
  readonly inputs: readonly Node[]
  /** State entries by role, which must have been declared. */
  readonly params?: Readonly<Record<string, string>>
  /** Attributes that differ from the defaults of the op's row. */
  readonly attrs?: Readonly<Record<string, Attribute>>
  readonly path: string
}

export class GraphBuilder {
  readonly #nodes: Node[] = []
  readonly #state = new Map<string, StateEntry>()

  constructor(readonly name: string) {}

  /** Adds an entry to the state dict. Throws ERR_GRAPH when the name is taken or the shape is none. */
  declare(entry: StateEntry): void {
    if (this.#state.has(entry.name)) throw new FacexError('ERR_GRAPH', `${entry.name}: two entries of the state dict have this name`)
    if (!isExtent(entry.shape)) {
      throw new FacexError('ERR_GRAPH', `${entry.name}: expected a shape of whole numbers from 1, got ${formatDims(entry.shape)}: check the sizes that its layer is made with`)
    }
    this.#state.set(entry.name, entry)
  }

  /** Adds a node. Throws ERR_GRAPH naming the path and what does not fit. */
  add(request: NodeRequest): Node {
    const row = findOp(request.op)
    if (row === undefined) this.#fail(request, unknownName('op', request.op, ops.map((op) => op.name)))
    const node = { ...request, params: request.params ?? {}, attrs: this.#attributes(request, row) }
    this.#checkOperands(node, row)
    const added: Node = { ...node, id: this.#nodes.length, inputs: node.inputs.map((input) => input.id), shape: this.#shape(node, row) }
    this.#nodes.push(added)
    return added
  }

  /** The finished graph with the given nodes as its outputs. */
  finish(outputs: Readonly<Record<string, Node>>): Graph {
    const ids = Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, node.id]))
    return { name: this.name, state: [...this.#state.values()], nodes: this.#nodes, outputs: ids }
  }

  #attributes(request: NodeRequest, row: Op): Record<string, Attribute> {
    const given = request.attrs ?? {}
    for (const name of Object.keys(given)) {
      if (!(name in row.attrs)) this.#fail(request, unknownName(`attribute of ${row.name}`, name, Object.keys(row.attrs)))
    }
    const attrs: Record<string, Attribute> = {}
    for (const [name, spec] of Object.entries(row.attrs)) {
      const value = given[name] ?? spec.default
      if (value === undefined || !fits(value, spec)) {
        this.#fail(request, `${row.name}.${name}: expected ${describe(spec)}, received ${received(value)}`)
      }
      attrs[name] = value
    }
    return attrs
  }

  #checkOperands(node: Required<NodeRequest>, row: Op): void {
    const count = node.inputs.length
    if (count < row.minInputs || count > row.maxInputs) {
      const expected = row.minInputs === row.maxInputs ? row.minInputs : `${row.minInputs} to ${row.maxInputs}`
      this.#fail(node, `${row.name} takes ${expected} operands, got ${count}`)
    }
    const roles = new Set(row.params.map((role) => role.replace('?', '')))
    for (const role of Object.keys(node.params)) {
      if (!roles.has(role)) this.#fail(node, `${row.name} has no parameter ${role}`)
    }
    for (const role of row.params) {
      if (!role.endsWith('?') && !(role in node.params)) this.#fail(node, `${row.name} needs the parameter ${role}`)
    }
  }

  #shape(node: Required<NodeRequest>, row: Op): Shape {
    const params: Record<string, readonly number[]> = {}
    for (const [role, name] of Object.entries(node.params)) {
      const entry = this.#state.get(name)
      if (entry === undefined) this.#fail(node, `${row.name}.${role}: no entry ${name} was declared`)
      params[role] = entry.shape
    }
    const view: NodeView = { inputs: node.inputs.map((input) => input.shape), params, attrs: node.attrs }
    try {
      const shape = row.shape(view)
      if (!isExtent(shape.dims)) throw new ShapeMistake(`${row.name} would give ${formatShape(shape)}`)
      return shape
    } catch (error) {
      if (error instanceof ShapeMistake) this.#fail(node, `${error.message}${context(view)}`)
      throw error
    }
  }

  #fail(node: { readonly path: string }, message: string): never {
    throw new FacexError('ERR_GRAPH', `${node.path === '' ? this.name : node.path}: ${message}`)
  }
}

/** ` (input [128, 14, 14], weight [256, 256, 3, 3])`, so that a message always shows both shapes. */
function context(view: NodeView): string {
  const inputs = view.inputs.map((shape) => `input ${formatShape(shape)}`)
  const weight = view.params.weight === undefined ? [] : [`weight ${formatDims(view.params.weight)}`]
  return ` (${[...inputs, ...weight].join(', ')})`
}

const WORDS = { integer: 'a whole number', number: 'a number', boolean: 'true or false', pair: 'two whole numbers', integers: 'whole numbers' } as const

function describe({ type, min, below }: AttributeSpec): string {
  if (typeof type !== 'string') return `one of ${type.join(', ')}`
  return `${WORDS[type]}${min === undefined ? '' : ` from ${min}`}${below === undefined ? '' : ` and below ${below}`}`
}

function fits(value: Attribute, { type, min = -Infinity, below = Infinity }: AttributeSpec): boolean {
  const inRange = (number: number) => number >= min && number < below
  const isInteger = (number: unknown): number is number => Number.isInteger(number) && inRange(number as number)
  const isIntegers = (array: unknown): array is number[] => Array.isArray(array) && array.every(isInteger)
  if (typeof type !== 'string') return type.includes(String(value))
  switch (type) {
    case 'integer':
      return isInteger(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) && inRange(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'integers':
      return isIntegers(value)
    case 'pair':
      return isIntegers(value) && value.length === 2
  }
}
