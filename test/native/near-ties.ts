/**
 * The choices of max-feature-map where two features are nearly equal.
 *
 * The gradient of `maximum` goes to the larger operand. Where rounding decides which that is, two right programs differ
 * by a whole gradient, not by rounding. Moving one operand of such an element by less than the difference matters
 * anywhere else, towards the choice of float64, takes that out of a comparison and leaves everything else in.
 * @module
 */
import { elements } from '../../lib/graph/shape.js'
import type { Graph, Node, StateEntry } from '../../lib/graph/types.js'
import type { NativeTensor } from '../../lib/native.js'
import { contentOf, images, loadFormula, networkOf, tensor } from './golden-network.js'
import type { Content, Golden } from './golden-network.js'

export interface DecidedGraph {
  readonly graph: Graph
  /** Content of the entries that the graph has beside those of the network. */
  readonly extra: readonly NativeTensor[]
  /** Elements of all max-feature-maps of one training batch, and those that were moved. */
  readonly choices: number
  readonly moved: number
}

/** The graph with every `maximum` of the golden training batch decided as in float64, by moving operands `within` at most. */
export async function decidedAsInFloat64(golden: Golden, graph: Graph, within: number): Promise<DecidedGraph> {
  const maxima = graph.nodes.filter((node) => node.op === 'maximum')
  if (maxima.length === 0) return { graph, extra: [], choices: 0, moved: 0 }
  const differences = await differencesOf(golden, graph, maxima)
  const { batch } = golden.train
  const perImage = differences.length / batch
  const extra: NativeTensor[] = []
  let [start, moved] = [0, 0]
  for (const { shape } of maxima) {
    const size = elements(shape.dims)
    const shift = new Float32Array(size)
    for (let image = 0; image < batch; image++) {
      for (let i = 0; i < size; i++) {
        const difference = differences[image * perImage + start + i]!
        if (Math.abs(difference) >= within) continue
        shift[i] = Math.sign(difference) * within
        moved++
      }
    }
    start += size
    extra.push(tensor(shiftName(extra.length), 'float32', [1, ...shape.dims], shift))
  }
  return { graph: shifted(graph, maxima), extra, choices: differences.length, moved }
}

/** First operand minus second of every maximum, in float64: [batch, all elements of an image]. */
async function differencesOf(golden: Golden, graph: Graph, maxima: readonly Node[]): Promise<Content> {
  const nodes = [...graph.nodes]
  const add = (node: Pick<Node, 'op' | 'inputs' | 'attrs' | 'shape'>): Node => {
    const added = { ...node, id: nodes.length, params: {}, path: 'differences' }
    nodes.push(added)
    return added
  }
  const flat = maxima.map(({ shape, inputs: [a, b] }) => {
    const minus = add({ op: 'scale_shift', inputs: [b!], attrs: { scale: -1, shift: 0 }, shape })
    const sum = add({ op: 'add', inputs: [a!, minus.id], attrs: {}, shape })
    return add({ op: 'flatten', inputs: [sum.id], attrs: {}, shape: { batch: 1, dims: [elements(shape.dims)] } })
  })
  const dims = [flat.reduce((sum, node) => sum + node.shape.dims[0]!, 0)]
  const all = add({ op: 'concat', inputs: flat.map(({ id }) => id), attrs: { dim: 0 }, shape: { batch: 1, dims } })
  const measured = { ...graph, nodes, outputs: { differences: all.id } }
  const network = networkOf(measured, 'float64')
  loadFormula(network, measured, 'float64')
  const result = contentOf(await network.infer(images('train input', golden.train.batch, golden.input, 'float64'), 'differences'))
  network.dispose()
  return result
}

const shiftName = (index: number): string => `shift.${index}`

/** Every maximum with its first operand shifted by a buffer. */
function shifted(graph: Graph, maxima: readonly Node[]): Graph {
  const nodes: Node[] = []
  const ids = new Map<number, number>()
  const entries: StateEntry[] = []
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => ids.get(id)!)
    if (maxima.includes(node)) {
      const weight = shiftName(entries.length)
      entries.push({ name: weight, shape: [1, ...node.shape.dims], kind: 'buffer', dtype: 'float', init: { kind: 'constant', value: 0 } })
      nodes.push({ id: nodes.length, op: 'add_parameter', inputs: [inputs[0]!], params: { weight }, attrs: {}, shape: node.shape, path: `${node.path}.shift` })
      inputs[0] = nodes.length - 1
    }
    ids.set(node.id, nodes.length)
    nodes.push({ ...node, id: nodes.length, inputs })
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, ids.get(id)!]))
  return { ...graph, nodes, outputs, state: [...graph.state, ...entries] }
}
