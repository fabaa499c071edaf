/** A network for inference only, in its deployed form. @module */
import { fuseConvolution } from '../graph/passes/index.js'
import type { Graph } from '../graph/types.js'
import { addon, type NativeNetwork, type NativeNetworkOptions, type NativeTensor } from '../native.js'
import { deploy } from './deploy.js'

/** Makes the network. Entries without a tensor keep the structure's own content. */
export function inferenceNetwork(graph: Graph, tensors: readonly NativeTensor[], options: NativeNetworkOptions): NativeNetwork {
  const deployed = deploy(graph, tensors, options)
  const network = new (addon().Network)(fuseConvolution(deployed.graph), options)
  network.load(deployed.tensors)
  return network
}
