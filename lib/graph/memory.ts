/**
 * Memory of a training step, estimated from the graph.
 *
 * An upper bound of what an executor needs that keeps exactly the values which backward reads: fused nodes and
 * recomputation make it less.
 * @module
 */
import { liveNodes } from './cost.js'
import { findOp } from './ops.js'
import { elements } from './shape.js'
import type { Graph, Node } from './types.js'

export type Precision = 'fp32' | 'bf16' | 'fp16'

/** Bytes of a training step. */
export interface StepMemory {
  /** Values kept from forward to backward, and the two largest gradients in flight. */
  readonly activations: number
  /** Parameters and buffers. */
  readonly weights: number
  /** Gradients of the parameters and one optimizer slot for each (momentum). */
  readonly gradients: number
}

/** Of one step with `batch` images; parameters, gradients and optimizer are float32 in every precision. */
export function stepMemory(graph: Graph, batch: number, precision: Precision): StepMemory {
  const live = liveNodes(graph)
  const kept = new Set<Node>()
  for (const node of live) {
    const { keeps } = findOp(node.op)!
    if (keeps === 'output') kept.add(node)
    if (keeps === 'inputs') for (const id of node.inputs) kept.add(source(graph, graph.nodes[id]!))
  }
  const size = (node: Node) => node.shape.batch * elements(node.shape.dims) * batch * (precision === 'fp32' ? 4 : 2)
  const largest = live.reduce((most, node) => Math.max(most, size(node)), 0)
  const bytes = (entries: Graph['state']) => entries.reduce((sum, entry) => sum + 4 * elements(entry.shape), 0)
  return {
    activations: [...kept].reduce((sum, node) => sum + size(node), 0) + 2 * largest,
    weights: bytes(graph.state),
    gradients: 2 * bytes(graph.state.filter((entry) => entry.kind === 'parameter')),
  }
}

/** The node whose memory a view of it shares. */
function source(graph: Graph, node: Node): Node {
  const isView = node.op === 'flatten' || node.op === 'reshape'
  return isView ? source(graph, graph.nodes[node.inputs[0]!]!) : node
}
