/**
 * What a graph costs: parameters, multiply-adds, dead parameters, memory of a training step.
 * @module
 */
import { attentionProducts } from './macs.js'
import { findOp } from './ops.js'
import type { NodeView } from './shape.js'
import { elements } from './shape.js'
import type { Graph, Node } from './types.js'

export interface Cost {
  /** Elements of all parameters, dead ones included. */
  readonly params: number
  /** Multiply-adds of convolutions and linear layers for one image. */
  readonly macs: number
  /** Multiply-adds of attention's matrix products for one image, which `macs` leaves out. */
  readonly attentionMacs: number
  /** Parameters that no output depends on, by name. */
  readonly dead: readonly string[]
  /** Elements of those. */
  readonly deadParams: number
}

/** Counts of a graph; sizes of batch and element types do not matter to them. */
export function cost(graph: Graph): Cost {
  const shapes = new Map(graph.state.map((entry) => [entry.name, entry.shape]))
  const live = liveNodes(graph)
  const used = new Set(live.flatMap((node) => Object.values(node.params)))
  const parameters = graph.state.filter((entry) => entry.kind === 'parameter')
  const dead = parameters.filter((entry) => !used.has(entry.name))
  const total = (entries: typeof parameters) => entries.reduce((sum, entry) => sum + elements(entry.shape), 0)
  let [macs, attentionMacs] = [0, 0]
  for (const node of live) {
    const view = viewOf(graph, node, shapes)
    macs += findOp(node.op)?.macs?.(view, node.shape) ?? 0
    if (node.op === 'attention') attentionMacs += attentionProducts(view, node.shape)
  }
  return { params: total(parameters), macs, attentionMacs, dead: dead.map((entry) => entry.name), deadParams: total(dead) }
}

/** Nodes that an output depends on, in execution order. */
export function liveNodes(graph: Graph): Node[] {
  const live = new Set<number>(Object.values(graph.outputs))
  for (const node of graph.nodes.toReversed()) {
    if (live.has(node.id)) for (const input of node.inputs) live.add(input)
  }
  return graph.nodes.filter((node) => live.has(node.id))
}

function viewOf(graph: Graph, node: Node, shapes: ReadonlyMap<string, readonly number[]>): NodeView {
  const params = Object.fromEntries(Object.entries(node.params).map(([role, name]) => [role, shapes.get(name)!]))
  return { inputs: node.inputs.map((id) => graph.nodes[id]!.shape), params, attrs: node.attrs }
}
