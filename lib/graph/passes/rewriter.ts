/**
 * A graph with its tensors while passes change it.
 *
 * Passes replace nodes and add entries; what nothing depends on any more disappears in {@link Rewriter.finish}.
 * @module
 */
import { liveNodes } from '../cost.js'
import type { Graph, Node, StateEntry } from '../types.js'

/** Content of a state entry, row-major. */
export type Reals = Float32Array | Float64Array

/** A graph and the content of its floating state entries by name. Passes leave the arrays that they are given alone. */
export interface WeightedGraph {
  readonly graph: Graph
  readonly tensors: ReadonlyMap<string, Reals>
}

/** A rewrite that keeps what the outputs are. */
export type Pass = (weighted: WeightedGraph) => WeightedGraph

export class Rewriter {
  readonly #name: string
  readonly #nodes: Node[]
  readonly #state: StateEntry[]
  readonly #outputs: Record<string, number>
  readonly #tensors: Map<string, Reals>

  constructor({ graph, tensors }: WeightedGraph) {
    this.#name = graph.name
    this.#nodes = [...graph.nodes]
    this.#state = [...graph.state]
    this.#outputs = { ...graph.outputs }
    this.#tensors = new Map(tensors)
  }

  /** Nodes as they are now; ids are positions. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** How many nodes and outputs read the result of node `id`. */
  uses(id: number): number {
    const readers = this.#nodes.reduce((count, node) => count + node.inputs.filter((input) => input === id).length, 0)
    return readers + Object.values(this.#outputs).filter((output) => output === id).length
  }

  tensor(name: string): Reals {
    return this.#tensors.get(name)!
  }

  entry(name: string): StateEntry {
    return this.#state.find((entry) => entry.name === name)!
  }

  /** Gives an entry new content, adding it after `after` where it is new. */
  put(entry: StateEntry, content: Reals, after: string): void {
    this.#tensors.set(entry.name, content)
    const known = this.#state.findIndex((other) => other.name === entry.name)
    if (known >= 0) this.#state[known] = entry
    else this.#state.splice(this.#state.findIndex((other) => other.name === after) + 1, 0, entry)
  }

  /** Puts `node` in the place of the node with its id. */
  set(node: Node): void {
    this.#nodes[node.id] = node
  }

  /** Lets everything that reads node `id` read node `by` instead. */
  replace(id: number, by: number): void {
    const redirect = (input: number) => (input === id ? by : input)
    for (const node of this.#nodes) {
      if (node.inputs.includes(id)) this.#nodes[node.id] = { ...node, inputs: node.inputs.map(redirect) }
    }
    for (const [name, output] of Object.entries(this.#outputs)) this.#outputs[name] = redirect(output)
  }

  /** The graph without the nodes and entries that no output depends on. */
  finish(): WeightedGraph {
    const live = liveNodes({ name: this.#name, state: this.#state, nodes: this.#nodes, outputs: this.#outputs })
    const ids = new Map(live.map((node, id) => [node.id, id]))
    const nodes = live.map((node, id) => ({ ...node, id, inputs: node.inputs.map((input) => ids.get(input)!) }))
    const used = new Set(nodes.flatMap((node) => Object.values(node.params)))
    const state = this.#state.filter((entry) => used.has(entry.name))
    const outputs = Object.fromEntries(Object.entries(this.#outputs).map(([name, id]) => [name, ids.get(id)!]))
    const tensors = new Map([...this.#tensors].filter(([name]) => used.has(name)))
    return { graph: { name: this.#name, state, nodes, outputs }, tensors }
  }
}

/** An array of the same kind as `like`. */
export function realsLike(like: Reals, length: number): Reals {
  return like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)
}
