/**
 * Joins each batch norm, and for inference each convolution, with the shortcut and the activation that follow it, as the
 * engine executes them: the values in between are neither written nor kept for backward. State dict and outputs stay what
 * they are.
 * @module
 */
import { FUSED_ACTIVATIONS } from '../ops.js'
import type { Graph, Node } from '../types.js'

/** For training: every batch norm. */
export const fuseNorm = (graph: Graph): Graph => fuse(graph, 'batch_norm', 'batch_norm_act')

/** For inference, where batch norms are folded: every convolution. */
export const fuseConvolution = (graph: Graph): Graph => fuse(graph, 'conv2d', 'conv2d_act')

function fuse(graph: Graph, first: string, fused: string): Graph {
  const soleReader = soleReaders(graph)
  /** What stands in the place of a node, by id: the fused node for the last of a chain, nothing for the others. */
  const replaced = new Map<number, readonly Node[]>()
  for (const head of graph.nodes) {
    if (head.op !== first) continue
    const reader = soleReader(head)
    const add = reader?.op === 'add' && !replaced.has(reader.id) ? reader : undefined
    const bend = soleReader(add ?? head)
    const activation = bend !== undefined && isFusedActivation(bend.op) ? bend : undefined
    const chain = [head, add, activation].filter((node) => node !== undefined)
    if (chain.length === 1) continue
    for (const node of chain) replaced.set(node.id, [])
    const last = chain.at(-1)!
    replaced.set(last.id, [join(fused, head, add, activation, last.id)])
  }
  return renumber(graph, (node) => replaced.get(node.id) ?? [node])
}

const isFusedActivation = (op: string): boolean => (FUSED_ACTIVATIONS as readonly string[]).includes(op)

function join(op: string, head: Node, add: Node | undefined, activation: Node | undefined, id: number): Node {
  const shortcut = add?.inputs.filter((input) => input !== head.id) ?? []
  const slope: Readonly<Record<string, string>> = activation?.op === 'prelu' ? { slope: activation.params.weight! } : {}
  return {
    ...head,
    id,
    op,
    inputs: [...head.inputs, ...shortcut],
    params: { ...head.params, ...slope },
    attrs: { ...head.attrs, activation: activation?.op ?? 'none' },
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
