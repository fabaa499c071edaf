/**
 * Joins each batch norm with the shortcut and the activation that follow it, as the engine executes them: the values in
 * between are neither written nor kept for backward. State dict and outputs stay what they are.
 * @module
 */
import { FUSED_ACTIVATIONS } from '../ops.js'
import type { Graph, Node } from '../types.js'

export function fuseNorm(graph: Graph): Graph {
  const soleReader = soleReaders(graph)
  /** What stands in the place of a node, by id: the fused node for the last of a chain, nothing for the others. */
  const replaced = new Map<number, readonly Node[]>()
  for (const norm of graph.nodes) {
    if (norm.op !== 'batch_norm') continue
    const reader = soleReader(norm)
    const add = reader?.op === 'add' && !replaced.has(reader.id) ? reader : undefined
    const bend = soleReader(add ?? norm)
    const activation = bend !== undefined && isFusedActivation(bend.op) ? bend : undefined
    const chain = [norm, add, activation].filter((node) => node !== undefined)
    if (chain.length === 1) continue
    for (const node of chain) replaced.set(node.id, [])
    const last = chain.at(-1)!
    replaced.set(last.id, [join(norm, add, activation, last.id)])
  }
  return renumber(graph, (node) => replaced.get(node.id) ?? [node])
}

const isFusedActivation = (op: string): boolean => (FUSED_ACTIVATIONS as readonly string[]).includes(op)

function join(norm: Node, add: Node | undefined, activation: Node | undefined, id: number): Node {
  const shortcut = add?.inputs.filter((input) => input !== norm.id) ?? []
  const slope: Readonly<Record<string, string>> = activation?.op === 'prelu' ? { slope: activation.params.weight! } : {}
  return {
    ...norm,
    id,
    op: 'batch_norm_act',
    inputs: [...norm.inputs, ...shortcut],
    params: { ...norm.params, ...slope },
    attrs: { ...norm.attrs, activation: activation?.op ?? 'none' },
  }
}

/** The one node that reads a result, once, where there is just one and the result is no output. */
function soleReaders(graph: Graph): (node: Node) => Node | undefined {
  const readers = new Map<number, Node[]>()
  for (const node of graph.nodes) for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node])
  const outputs = new Set(Object.values(graph.outputs))
  return ({ id }) => {
    const all = readers.get(id) ?? []
    return all.length === 1 && !outputs.has(id) ? all[0] : undefined
  }
}

/** The graph with each node replaced; ids become positions again. */
function renumber(graph: Graph, replacement: (node: Node) => readonly Node[]): Graph {
  const nodes = graph.nodes.flatMap(replacement)
  const ids = new Map(nodes.map((node, position) => [node.id, position]))
  return {
    ...graph,
    nodes: nodes.map((node, id) => ({ ...node, id, inputs: node.inputs.map((input) => ids.get(input)!) })),
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, ids.get(id)!])),
  }
}
