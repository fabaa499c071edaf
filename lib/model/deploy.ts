/**
 * The form of a network that is used and no longer trained: batch norm folded into the weights before it, dropout gone,
 * RepVGG's branches joined.
 * @module
 */
import { forInference } from '../graph/passes/index.js'
import type { Reals } from '../graph/passes/index.js'
import { elements } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { addon, type NativeNetworkOptions, type NativeTensor } from '../native.js'

export interface DeployedNetwork {
  readonly graph: Graph
  /** Content of every state entry of `graph`. */
  readonly tensors: readonly NativeTensor[]
}

/** The structure alone: which entries it has does not depend on their content. */
export function deployedGraph(graph: Graph): Graph {
  const zeros = graph.state.filter(({ dtype }) => dtype === 'float').map(({ name, shape }) => [name, new Float32Array(elements(shape))] as const)
  return forInference({ graph, tensors: new Map(zeros) }).graph
}

/** Folds a network. Entries without a tensor keep the structure's own content, such as Swin's index tables. */
export function deploy(graph: Graph, tensors: readonly NativeTensor[], options: NativeNetworkOptions): DeployedNetwork {
  // The native network knows the first values of entries that files leave out, and one dtype for all the others.
  const whole = new (addon().Network)(graph, options)
  whole.initialise(0)
  whole.load(tensors)
  const complete = whole.state()
  whole.dispose()

  const folded = forInference({ graph, tensors: new Map(complete.filter(isReal).map((tensor) => [tensor.name, reals(tensor)])) })
  const tables = new Map(complete.filter((tensor) => !isReal(tensor)).map((tensor) => [tensor.name, tensor]))
  const content = ({ name, shape }: Graph['state'][number]): NativeTensor => {
    const values = folded.tensors.get(name)
    return values === undefined ? tables.get(name)! : { name, dtype: values instanceof Float64Array ? 'float64' : 'float32', shape, data: bufferOf(values) }
  }
  return { graph: folded.graph, tensors: folded.graph.state.map(content) }
}

const isReal = ({ dtype }: NativeTensor): boolean => dtype === 'float32' || dtype === 'float64'

function reals({ dtype, data }: NativeTensor): Reals {
  return dtype === 'float64' ? new Float64Array(data) : new Float32Array(data)
}

function bufferOf(values: Reals): ArrayBuffer {
  const whole = values.byteOffset === 0 && values.byteLength === values.buffer.byteLength
  return (whole ? values : values.slice()).buffer as ArrayBuffer
}
