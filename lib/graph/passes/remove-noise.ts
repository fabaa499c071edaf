/** Takes dropout and stochastic depth out, which do nothing outside training. @module */
import { Rewriter } from './rewriter.js'
import type { Pass } from './rewriter.js'

export const removeNoise: Pass = (weighted) => {
  const rewriter = new Rewriter(weighted)
  for (const { id } of weighted.graph.nodes) {
    const node = rewriter.nodes[id]!
    if (node.op === 'dropout' || node.op === 'drop_path') rewriter.replace(id, node.inputs[0]!)
  }
  return rewriter.finish()
}
