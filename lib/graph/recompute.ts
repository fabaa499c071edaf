/**
 * What a training step computes once more on the way back instead of keeping it.
 *
 * Light values: what one pass over kept values gives, such as a batch norm with its activation. In-place activated batch
 * norm (Rota Bulo et al., "In-Place Activated BatchNorm for Memory-Optimized Training of DNNs", arXiv:1712.02616) inverts
 * the activation to that end; here any op of the table may be marked light, and the operand is what stays.
 *
 * Stages, as in activation checkpointing (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174):
 * the graph is cut into stages, of which forward keeps only the values that enter them; on the way back each is computed
 * once more. The last stage is not, its backward comes at once. Cuts go where few bytes cross.
 *
 * Of several choices the one counts that needs the least memory in the end.
 * @module
 */
import { KEEP_ALL, stepMemory, type Recomputation } from './memory.js'
import { findOp } from './ops.js'
import { elements } from './shape.js'
import type { Graph, Node } from './types.js'

/** Sizes of stages that are tried, as shares of all kept values. */
const SHARES = [1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 16, 1 / 24]

export const RECOMPUTE = ['auto', 'light', true, false] as const

/** `recompute` of a configuration: light values, stages too, nothing, or light values where the CPU computes. */
export type Recompute = (typeof RECOMPUTE)[number]

/** What a training step of `graph` computes again. */
export function recomputation(graph: Graph, recompute: Recompute, device: 'cpu' | 'cuda'): Recomputation {
  if (recompute === false || (recompute === 'auto' && device === 'cuda')) return KEEP_ALL
  const light = { stages: [], recomputed: lightValues(graph) }
  if (recompute !== true) return light
  // Stages alone may need less: a value that comes again at once is then held in vain.
  return least(graph, [KEEP_ALL, light].flatMap((values) => [values, ...stagesWith(graph, values)]))
}

/** The one that needs the least memory, the first of several. */
function least(graph: Graph, candidates: readonly Recomputation[]): Recomputation {
  const bytes = candidates.map((each) => stepMemory(graph, 1, 'fp32', each).activations)
  return candidates[bytes.indexOf(Math.min(...bytes))]!
}

function stagesWith(graph: Graph, { recomputed }: Recomputation): Recomputation[] {
  const kept = keptBytes(graph)
  const crossing = crossingBytes(graph)
  const cuts = SHARES.map((share) => cut(kept, crossing, share * kept.at(-1)!))
  return cuts.flatMap((stages) => (stages === undefined ? [] : [{ stages, recomputed }]))
}

/** How long chains of values may get that each need the one before: the first needed brings all of them back at once. */
const CHAINS = [1, 2, 3, 4]

/** Light values worth leaving out. Networks of depthwise convolutions spend half of their memory on them. */
function lightValues(graph: Graph): number[] {
  const candidates = CHAINS.map((chain) => ({ stages: [], recomputed: chainsOf(graph, chain) }))
  return [...least(graph, [KEEP_ALL, ...candidates]).recomputed]
}

function chainsOf(graph: Graph, longest: number): number[] {
  const outputs = new Set(Object.values(graph.outputs))
  const kept = new Set(graph.nodes.flatMap(keptBy))
  const chain = new Map<number, number>()
  for (const node of graph.nodes) {
    const { light, keeps } = findOp(node.op)!
    // A node that keeps its operands for itself gives its value again for nothing, whether or not anyone asks for it.
    if (!light || outputs.has(node.id) || (keeps !== 'inputs' && !kept.has(node.id))) continue
    const length = 1 + Math.max(...node.inputs.map((id) => chain.get(id) ?? 0))
    const missing = node.inputs.filter((id) => !chain.has(id) && !kept.has(id))
    if (length > longest || missing.reduce((sum, id) => sum + bytesOf(graph.nodes[id]!), 0) >= bytesOf(node)) continue
    chain.set(node.id, length)
    for (const id of missing) kept.add(id)
  }
  return [...chain.keys()]
}

/** Nodes whose values the backward of a node reads. */
function keptBy(node: Node): readonly number[] {
  const { keeps } = findOp(node.op)!
  return keeps === 'inputs' ? node.inputs : keeps === 'output' ? [node.id] : []
}

const bytesOf = (node: Node): number => 4 * node.shape.batch * elements(node.shape.dims)

/** Bytes kept for backward by the nodes before each one, shared values counted once. */
function keptBytes(graph: Graph): number[] {
  const seen = new Set<number>()
  const sums = [0]
  for (const node of graph.nodes) {
    const fresh = keptBy(node).filter((id) => !seen.has(id))
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
