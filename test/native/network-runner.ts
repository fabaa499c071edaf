/**
 * Small graphs, and networks of the addon with plain arrays at their border.
 * @module
 */
import { GraphBuilder } from '../../lib/graph/builder.js'
import type { Recomputation } from '../../lib/graph/memory.js'
import type { Attribute, Graph, Node, StateEntry } from '../../lib/graph/types.js'
import { addon } from '../../lib/native.js'
import type { ComputeType, NativeNetwork, NativeTensor } from '../../lib/native.js'
import { DEVICE } from './device.js'
import { numbers, tensor } from './head-runner.js'

/** A deterministic value in [-1, 1) for each index; no two runs and no two names share a sequence by accident. */
export function noise(name: string, count: number): number[] {
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5)
  return Array.from({ length: count }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 31 - 1
  })
}

const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1)

/** A graph under construction whose operands are all trainable, so that gradients of every operand can be seen. */
export class SmallGraph {
  readonly #builder = new GraphBuilder('small')
  readonly #input: Node
  /** Values of state entries that matter, by name. */
  readonly values: Record<string, readonly number[]> = {}

  constructor() {
    this.#input = this.#builder.add({ op: 'input', inputs: [], attrs: { dims: [1] }, path: 'input' })
  }

  /** A state entry with values of its own; returns its name. */
  entry(name: string, shape: readonly number[], values: readonly number[], options: Partial<StateEntry> = {}): string {
    this.#builder.declare({ name, shape, kind: 'parameter', dtype: 'float', init: { kind: 'constant', value: 0 }, ...options })
    this.values[name] = values
    return name
  }

  /** An operand: a parameter spread over the batch, `spread` times the image's own value apart. */
  operand(name: string, dims: readonly number[], values = noise(name, size(dims)), spread = 0.7): Node {
    const zeros = this.#builder.add({ op: 'linear', inputs: [this.#input], params: { weight: this.entry(`${name}.spread`, [size(dims), 1], noise(`${name}.spread`, size(dims)).map((v) => v * spread), { kind: 'buffer' }) }, path: name })
    const shaped = this.#builder.add({ op: 'reshape', inputs: [zeros], attrs: { dims }, path: name })
    return this.#builder.add({ op: 'add_parameter', inputs: [shaped], params: { weight: this.entry(name, [1, ...dims], values) }, path: name })
  }

  add(op: string, inputs: readonly Node[], attrs: Readonly<Record<string, Attribute>> = {}, params: Readonly<Record<string, string>> = {}): Node {
    return this.#builder.add({ op, inputs, attrs, params, path: op })
  }

  /** Entries of a batch norm over `channels`, by role; `weight` says what is special about the weight. */
  batchNorm(name: string, channels: number, weight: Partial<StateEntry> = {}): Record<string, string> {
    const around = (suffix: string, centre: number) => noise(`${name}.${suffix}`, channels).map((value) => centre + 0.4 * value)
    return {
      weight: this.entry(`${name}.weight`, [channels], around('weight', 1), weight),
      bias: this.entry(`${name}.bias`, [channels], around('bias', 0)),
      running_mean: this.entry(`${name}.running_mean`, [channels], around('running_mean', 0), { kind: 'buffer' }),
      running_var: this.entry(`${name}.running_var`, [channels], around('running_var', 1), { kind: 'buffer' }),
      num_batches_tracked: this.entry(`${name}.num_batches_tracked`, [], [0], { kind: 'buffer', dtype: 'int64' }),
    }
  }

  finish(output: Node): Graph {
    return this.#builder.finish({ output })
  }
}

export interface Precision {
  readonly master: 'float32' | 'float64'
  readonly compute: ComputeType
}

/** A network for tests, in float64 unless said otherwise. */
export function makeNetwork(graph: Graph, precision: Precision = { master: 'float64', compute: 'float64' }, again: Partial<Recomputation> = {}): NativeNetwork {
  return new (addon().Network)(graph, { device: DEVICE, ...precision, ...again, pixelMean: 127.5, pixelScale: 1 / 128 })
}

/** Loads plain arrays into the entries of the same names. */
export function loadValues(network: NativeNetwork, graph: Graph, values: Readonly<Record<string, readonly number[]>>): void {
  const tensors = Object.entries(values).map(([name, array]): NativeTensor => {
    const entry = graph.state.find((candidate) => candidate.name === name)!
    if (entry.dtype === 'int64') return { name, dtype: 'int64', shape: entry.shape, data: BigInt64Array.from(array.map(BigInt)).buffer }
    return tensor(name, 'float64', entry.shape, array)
  })
  network.load(tensors)
}

/** Images for a {@link SmallGraph}: one number each. */
export const scalars = (values: readonly number[]): NativeTensor => tensor('images', 'float64', [values.length, 1], values)

export { numbers, tensor }
