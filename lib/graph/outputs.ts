/**
 * Further outputs of a graph: what a layer inside the network gives, by the layer's path.
 * @module
 */
import { FacexError, nearest } from '../errors.js'
import type { Graph, Node } from './types.js'

/**
 * `graph` with the results of layers as outputs beside those it has.
 * @param layers path of the layer for each name of an output
 * @throws FacexError ERR_CONFIG for a path that no layer has
 */
export function withLayerOutputs(graph: Graph, layers: Readonly<Record<string, string>>): Graph {
  const added = Object.entries(layers).map(([name, path]) => [name, layerResult(graph, path).id] as const)
  return { ...graph, outputs: { ...graph.outputs, ...Object.fromEntries(added) } }
}

/**
 * The node that ends the layer at `path`, such as `layer3.0.conv1`; `embedding` is the output of that name.
 * @throws FacexError ERR_CONFIG for a path that no layer has
 */
export function layerResult(graph: Graph, path: string): Node {
  const output = graph.outputs[path]
  if (output !== undefined) return graph.nodes[output]!
  const last = graph.nodes.findLast((node) => node.path === path || node.path.startsWith(`${path}.`))
  if (last !== undefined) return last
  const paths = layerPaths(graph)
  const near = nearest(path, paths)
  const outer = paths.filter((name) => !name.includes('.'))
  throw new FacexError('ERR_CONFIG', `${graph.name} has no layer "${path}"${near === undefined ? '' : `, did you mean "${near}"?`} Its outer layers: ${outer.join(', ')}`)
}

/** Paths of all layers that compute something, outer ones included, in order of execution. */
function layerPaths(graph: Graph): string[] {
  const prefixes = (path: string) => path.split('.').map((_, depth, keys) => keys.slice(0, depth + 1).join('.'))
  return [...new Set(graph.nodes.filter((node) => node.op !== 'input').flatMap((node) => prefixes(node.path)))]
}
