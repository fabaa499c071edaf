/**
 * A network for inference only: batch norm folded into the weights before it, dropout gone, RepVGG's branches joined.
 * @module
 */
import { forInference } from '../graph/passes/index.js'
import type { Reals } from '../graph/passes/index.js'
import type { Graph } from '../graph/types.js'
import { addon, type NativeNetwork, type NativeNetworkOptions, type NativeTensor } from '../native.js'

/** Makes the network. Entries without a tensor keep the structure's own content, such as Swin's index tables. */
export function inferenceNetwork(graph: Graph, tensors: readonly NativeTensor[], options: NativeNetworkOptions): NativeNetwork {
  // The native network knows the first values of entries that files leave out, and one dtype for all the others.
  const whole = new (addon().Network)(graph, options)
  whole.initialise(0)
  whole.load(tensors)
  const complete = whole.state()
  whole.dispose()

  const folded = forInference({ graph, tensors: new Map(complete.filter(isReal).map((tensor) => [tensor.name, reals(tensor)])) })
  const network = new (addon().Network)(folded.graph, options)
  network.load([...complete.filter((tensor) => !isReal(tensor) && kept(folded.graph, tensor.name)), ...folded.graph.state.flatMap(nativeTensor)])
  return network

  function nativeTensor({ name, shape }: Graph['state'][number]): NativeTensor[] {
    const values = folded.tensors.get(name)
    return values === undefined ? [] : [{ name, dtype: values instanceof Float64Array ? 'float64' : 'float32', shape, data: bufferOf(values) }]
  }
}

const kept = (graph: Graph, name: string): boolean => graph.state.some((entry) => entry.name === name)
const isReal = ({ dtype }: NativeTensor): boolean => dtype === 'float32' || dtype === 'float64'

function reals({ dtype, data }: NativeTensor): Reals {
  return dtype === 'float64' ? new Float64Array(data) : new Float32Array(data)
}

function bufferOf(values: Reals): ArrayBuffer {
  const whole = values.byteOffset === 0 && values.byteLength === values.buffer.byteLength
  return (whole ? values : values.slice()).buffer as ArrayBuffer
}
