/**
 * Folds batch norm into the convolution or linear layer before it, for inference.
 *
 * A batch norm before a padded convolution stays: the padding is zero after it, so no weights give the same border.
 * @module
 */
import type { Node } from '../types.js'
import { affineOf } from './affine.js'
import { realsLike, Rewriter } from './rewriter.js'
import type { Pass } from './rewriter.js'

export const foldBatchNorm: Pass = (weighted) => {
  const rewriter = new Rewriter(weighted)
  for (const { id } of weighted.graph.nodes) {
    const node = rewriter.nodes[id]!
    if (node.op !== 'batch_norm') continue
    const before = rewriter.nodes[node.inputs[0]!]!
    if ((before.op === 'conv2d' || before.op === 'linear') && ownsItsResult(before, rewriter)) fold(before, node, rewriter)
  }
  return rewriter.finish()
}

/** Nothing else reads the layer's result or shares its weight. */
function ownsItsResult(layer: Node, rewriter: Rewriter): boolean {
  const sharers = rewriter.nodes.filter((node) => Object.values(node.params).includes(layer.params.weight!))
  return rewriter.uses(layer.id) === 1 && sharers.length === 1
}

function fold(layer: Node, batchNorm: Node, rewriter: Rewriter): void {
  const { scale, shift } = affineOf(batchNorm, rewriter)
  const weightName = layer.params.weight!
  const weight = rewriter.tensor(weightName)
  const bias = layer.params.bias === undefined ? undefined : rewriter.tensor(layer.params.bias)
  const fanIn = weight.length / scale.length
  rewriter.put(rewriter.entry(weightName), weight.map((value, i) => value * scale[Math.floor(i / fanIn)]!), weightName)

  const biasName = layer.params.bias ?? weightName.replace(/weight$/, 'bias')
  const folded = realsLike(weight, scale.length).map((_, c) => (bias?.[c] ?? 0) * scale[c]! + shift[c]!)
  const entry = { name: biasName, shape: [scale.length], kind: 'parameter', dtype: 'float', init: { kind: 'constant', value: 0 } } as const
  rewriter.put(entry, folded, weightName)
  rewriter.set({ ...layer, params: { ...layer.params, bias: biasName } })
  rewriter.replace(batchNorm.id, layer.id)
}
