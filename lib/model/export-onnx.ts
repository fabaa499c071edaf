/**
 * A network as an ONNX file: input `images`, float [N, C, H, W] after pixel normalisation, output `embedding` [N, D].
 * The metadata says how pixels become that input.
 * @module
 */
import { FacexError } from '../errors.js'
import { forInference, type Reals } from '../graph/passes/index.js'
import type { Graph, StateEntry } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import { packageVersion } from '../setup/places.js'
import type { Content } from './onnx/emit-context.js'
import { EMITTERS } from './onnx/emit.js'
import { OnnxModel } from './onnx/onnx-model.js'
import type { Preprocessing } from './preprocessing.js'

/** Name of the images in the file. */
export const ONNX_INPUT = 'images'

/** Protocol buffers end here. */
const MAX_BYTES = 2 ** 31 - 1

/**
 * Encodes a network. Batch norm is folded and RepVGG blocks are one convolution, as in the engine's inference.
 * @param state float32 or float64 content of every entry, and int64 of tables
 * @throws FacexError ERR_GRAPH for an op that ONNX has no form for, or a network beyond 2 GiB
 */
export function encodeOnnx(graph: Graph, state: readonly NativeTensor[], preprocessing: Preprocessing): Buffer {
  const { graph: folded, tensors } = forInference({ graph, tensors: realsOf(state) })
  const contents = contentsOf(folded.state, tensors, state)
  const model = new OnnxModel()
  const names: string[] = []
  for (const node of folded.nodes) {
    if (node.op === 'input') {
      names.push(ONNX_INPUT)
      continue
    }
    const emit = EMITTERS[node.op]
    if (emit === undefined) throw new FacexError('ERR_GRAPH', `${node.path}: the op ${node.op} has no form in ONNX`)
    const content = (role: string) => contents.get(node.params[role] ?? '')
    const parameter = (role: string, shape?: readonly number[]) => {
      const { shape: own, values } = content(role)!
      return model.floats(shape === undefined ? node.params[role]! : `${node.params[role]!} [${shape.join(', ')}]`, shape ?? own, values)
    }
    names.push(emit({ model, node, inputs: node.inputs.map((id) => names[id]!), shapes: node.inputs.map((id) => folded.nodes[id]!.shape), content, parameter }))
  }
  const outputs = Object.entries(folded.outputs)
  for (const [name, id] of outputs) model.node('Identity', [names[id]!], {}, name)
  const file = model.encode({
    name: graph.name,
    version: packageVersion(),
    inputs: { [ONNX_INPUT]: folded.nodes.find(({ op }) => op === 'input')!.shape.dims },
    outputs: Object.fromEntries(outputs.map(([name, id]) => [name, folded.nodes[id]!.shape.dims])),
    metadata: Object.fromEntries(Object.entries(preprocessing).map(([key, value]) => [key, String(value)])),
  })
  if (file.length > MAX_BYTES) throw new FacexError('ERR_GRAPH', `${graph.name}: the file would have ${file.length} bytes; ONNX holds 2 GiB`)
  return file
}

function realsOf(state: readonly NativeTensor[]): Map<string, Reals> {
  const reals = new Map<string, Reals>()
  for (const { name, dtype, data } of state) {
    if (dtype === 'float32') reals.set(name, new Float32Array(data))
    else if (dtype === 'float64') reals.set(name, new Float64Array(data))
  }
  return reals
}

function contentsOf(entries: readonly StateEntry[], reals: ReadonlyMap<string, Reals>, state: readonly NativeTensor[]): Map<string, Content> {
  const tables = new Map(state.filter(({ dtype }) => dtype === 'int64').map(({ name, data }) => [name, Array.from(new BigInt64Array(data), Number)]))
  return new Map(entries.map(({ name, shape }) => [name, { shape, values: reals.get(name) ?? tables.get(name) ?? [] }]))
}
