/**
 * Activation checkpointing (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174): the graph is
 * cut into stages, of which forward keeps only the values that enter them; on the way back each is computed once more.
 * The last stage is not, its backward comes at once.
 *
 * Cuts go where few bytes cross. Of several sizes of stages, the one counts that needs the least memory in the end.
 * @module
 */
import { stepMemory } from './memory.js'
import { findOp } from './ops.js'
import { elements } from './shape.js'
import type { Graph, Node } from './types.js'

/** Sizes of stages that are tried, as shares of all kept values. */
const SHARES = [1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 16, 1 / 24]

/** Ids of the nodes at which a stage begins, the first stage left out; none where that saves nothing. */
export function recomputeStarts(graph: Graph): number[] {
  const kept = keptBytes(graph)
  const crossing = crossingBytes(graph)
  let best: { starts: number[]; bytes: number } = { starts: [], bytes: stepMemory(graph, 1, 'fp32').activations }
  for (const share of SHARES) {
    const starts = cut(kept, crossing, share * kept.at(-1)!)
    if (starts === undefined) break
    const bytes = stepMemory(graph, 1, 'fp32', starts).activations
    if (bytes < best.bytes) best = { starts, bytes }
  }
  return best.starts
}

const bytesOf = (node: Node): number => 4 * node.shape.batch * elements(node.shape.dims)

/** Bytes kept for backward by the nodes before each one, shared values counted once. */
function keptBytes(graph: Graph): number[] {
  const seen = new Set<number>()
  const sums = [0]
  for (const node of graph.nodes) {
    const { keeps } = findOp(node.op)!
    const read = keeps === 'inputs' ? node.inputs : keeps === 'output' ? [node.id] : []
    const fresh = read.filter((id) => !seen.has(id))
    for (const id of fresh) seen.add(id)
    sums.push(sums.at(-1)! + fresh.reduce((sum, id) => sum + bytesOf(graph.nodes[id]!), 0))
  }
  return sums
}

/** Bytes of the values made before each node and read by it or later ones. */
function crossingBytes(graph: Graph): number[] {
  const lastReader = new Map<number, number>()
  for (const node of graph.nodes) for (const id of node.inputs) lastReader.set(id, node.id)
  const changes = Array<number>(graph.nodes.length + 2).fill(0)
  for (const node of graph.nodes) {
    const last = lastReader.get(node.id)
    if (last === undefined) continue
    changes[node.id + 1]! += bytesOf(node)
    changes[last + 1]! -= bytesOf(node)
  }
  let sum = 0
  return changes.map((change) => (sum += change))
}

/** Cuts with the fewest bytes across them in all, such that no stage keeps more than `most`; undefined where there are none. */
function cut(kept: readonly number[], crossing: readonly number[], most: number): number[] | undefined {
  const count = kept.length - 1
  const cost = Array<number>(count + 1).fill(Infinity)
  const before = Array<number>(count + 1).fill(0)
  cost[0] = 0
  for (let end = 1; end <= count; end++) {
    for (let begin = end - 1; begin >= 0 && kept[end]! - kept[begin]! <= most; begin--) {
      const total = cost[begin]! + (begin === 0 ? 0 : crossing[begin]!)
      if (total >= cost[end]!) continue
      cost[end] = total
      before[end] = begin
    }
  }
  if (cost[count] === Infinity) return undefined
  const starts: number[] = []
  for (let at = before[count]!; at > 0; at = before[at]!) starts.unshift(at)
  return starts
}
