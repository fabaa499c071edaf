/** Rewrites of a graph and its tensors. @module */
import { foldBatchNorm } from './fold-batch-norm.js'
import { fuseConvolution, fuseNorm } from './fuse-activation.js'
import { removeNoise } from './remove-noise.js'
import { reparameterise } from './rep-vgg.js'
import type { Pass } from './rewriter.js'

export { foldBatchNorm, fuseConvolution, fuseNorm, removeNoise, reparameterise }
export type { Pass, Reals, WeightedGraph } from './rewriter.js'

/** The network as inference and deployment want it: fewer nodes, the same outputs up to rounding. */
export const forInference: Pass = (weighted) => reparameterise(foldBatchNorm(removeNoise(weighted)))
