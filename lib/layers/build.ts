/**
 * From a tree of layers to a static graph: names the tree, declares its state, runs forward once.
 * @module
 */
import { GraphBuilder } from '../graph/builder.js'
import type { Graph } from '../graph/types.js'
import type { AnyModule, Module } from './module.js'
import { Trace, Value } from './trace.js'
import type { Declaration } from './trace.js'

/**
 * Builds the graph of `root` for images `[channels, height, width]`, with the one output `embedding`.
 * State entries stand in PyTorch's order, those of layers that forward never calls included.
 */
export function build(root: Module, input: readonly number[], name = root.constructor.name): Graph {
  const builder = new GraphBuilder(name)
  const paths = new Map<object, string>()
  const names = new Map<Declaration, string>()
  for (const [path, layer] of walk(root, '')) {
    if (!paths.has(layer)) paths.set(layer, path)
    for (const declaration of layer.state) {
      const full = join(path, declaration.name)
      names.set(declaration, full)
      builder.declare({ ...declaration, name: full })
    }
  }
  const trace = new Trace(builder, paths, names)
  const images = new Value(trace, builder.add({ op: 'input', inputs: [], attrs: { dims: input }, path: 'input' }))
  return builder.finish({ embedding: root.call(images).node })
}

function* walk(layer: AnyModule, path: string): Iterable<readonly [string, AnyModule]> {
  yield [path, layer]
  for (const [name, child] of layer.children()) yield* walk(child, join(path, name))
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
