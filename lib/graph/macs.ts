/**
 * Multiply-adds of the ops that have them, for one image.
 *
 * Convolutions and linear layers only, as the published tables count; the matrix products of attention have no weights
 * and are counted apart by `cost.ts`.
 * @module
 */
import { elements } from './shape.js'
import type { NodeView } from './shape.js'
import type { Shape } from './types.js'

/** Multiply-adds of one image from a node and the shape of its result. */
export type MacsRule = (node: NodeView, result: Shape) => number

/** Every output element takes one multiply-add for each weight of its filter. */
export const conv2d: MacsRule = (node, result) => result.batch * elements(result.dims) * elements(node.params.weight!.slice(1))

export const linear: MacsRule = (node, result) => result.batch * elements(result.dims) * node.params.weight![1]!

/** The two matrix products q k^T and (softmax) v of an attention node. */
export const attentionProducts: MacsRule = (_node, result) => {
  const [tokens, channels] = result.dims as [number, number]
  return 2 * result.batch * tokens * tokens * channels
}
