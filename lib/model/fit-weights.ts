/**
 * Fits weights to a network or head: every name and shape must agree, unless the caller asks for what there is.
 * @module
 */
import { FacexError, throwProblems } from '../errors.js'
import type { Graph, StateEntry } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import { ELEMENT_BYTES } from './formats/dtype.js'
import { mapNames, type KeyMap } from './key-maps.js'

export interface FitOptions {
  /** The file, for messages. */
  readonly file: string
  /** Take the entries that agree and leave the rest as they are. @default false */
  readonly partial?: boolean
  /** A key map of the caller's, tried before those of facex. */
  readonly keyMap?: KeyMap | undefined
}

export interface FittedWeights {
  /** What `NativeNetwork.load` takes. */
  readonly tensors: readonly NativeTensor[]
  /** What did not agree, with `partial`. */
  readonly messages: readonly string[]
  /** The key map that translated the names, if any. */
  readonly keyMap: string | undefined
}

/**
 * Fits the state of a backbone; names of other projects are translated by the key maps.
 * @throws FacexError ERR_CHECKPOINT that lists missing, unexpected and mismatched entries
 */
export function fitBackbone(graph: Graph, weights: readonly NativeTensor[], options: FitOptions): FittedWeights {
  const { tensors, keyMap } = mapNames(graph, weights, options.keyMap)
  return { ...compare(graph.state, tensors, options, graph.name), keyMap }
}

/**
 * Fits the state of a head. Class centres are [D, K] in some projects and [K, D] in others: they are turned round as
 * needed, which a square matrix cannot tell.
 * @throws FacexError ERR_CHECKPOINT that lists missing, unexpected and mismatched entries
 */
export function fitHead(state: readonly Pick<StateEntry, 'name' | 'shape'>[], weights: readonly NativeTensor[], options: FitOptions): FittedWeights {
  const shapes = new Map(state.map((entry) => [entry.name, entry.shape]))
  const turned = weights.map((tensor) => {
    const expected = shapes.get(tensor.name)
    const reversed = expected?.length === 2 && tensor.shape.length === 2 && expected[0] !== tensor.shape[0] && expected[0] === tensor.shape[1] && expected[1] === tensor.shape[0]
    return reversed ? transpose(tensor) : tensor
  })
  // For other identities all of a head may differ.
  return { ...compare(state, turned, options, 'head', options.partial), keyMap: undefined }
}

function compare(state: readonly ExpectedEntry[], weights: readonly NativeTensor[], { file, partial }: FitOptions, what: string, mayStayNew = false): { tensors: NativeTensor[]; messages: string[] } {
  const found = new Map(weights.map((tensor) => [tensor.name, tensor]))
  const messages: string[] = []
  const tensors: NativeTensor[] = []
  const additions: NativeTensor[] = []
  for (const entry of state) {
    const tensor = found.get(entry.name)
    found.delete(entry.name)
    if (tensor === undefined) {
      const known = derived(entry)
      if (known === undefined) messages.push(`missing: ${entry.name} [${entry.shape.join(', ')}]`)
      else additions.push(known)
    } else if (!sameShape(entry.shape, tensor.shape)) {
      messages.push(`mismatched: ${entry.name}: expected [${entry.shape.join(', ')}], found [${tensor.shape.join(', ')}]`)
    } else {
      tensors.push(tensor)
    }
  }
  for (const { name, shape } of found.values()) messages.push(`unexpected: ${name} [${shape.join(', ')}]`)
  if (tensors.length === 0 && !mayStayNew) throw new FacexError('ERR_CHECKPOINT', `${file}: no entry fits ${what}: ${messages.slice(0, 5).join('; ')}`, { problems: messages })
  if (partial !== true) {
    throwProblems('ERR_CHECKPOINT', `${file}: the weights do not fit ${what} (${tensors.length} of ${state.length} entries do; partial loading takes those):`, messages)
  }
  return { tensors: [...tensors, ...additions], messages }
}

type ExpectedEntry = Pick<StateEntry, 'name' | 'shape'> & Partial<StateEntry>

/** Entries that old files lack: tables that follow from the structure, and counts of batches, which begin at 0. */
function derived({ name, shape, dtype, init }: ExpectedEntry): NativeTensor | undefined {
  if (name.endsWith('num_batches_tracked')) return { name, shape, dtype: 'int64', data: new ArrayBuffer(8) }
  if (init?.kind !== 'values') return undefined
  const data = dtype === 'int64' ? BigInt64Array.from(init.values, BigInt) : Float32Array.from(init.values)
  return { name, shape, dtype: dtype === 'int64' ? 'int64' : 'float32', data: data.buffer }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

/** [A, B] to [B, A]. */
function transpose(tensor: NativeTensor): NativeTensor {
  const [rows, columns] = tensor.shape as [number, number]
  const View = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[ELEMENT_BYTES[tensor.dtype]]!
  const from = new View(tensor.data)
  const to = new View(from.length)
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column]!
  return { ...tensor, shape: [columns, rows], data: to.buffer as ArrayBuffer }
}
