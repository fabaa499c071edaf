/** Batch normalisation outside training: a factor and a summand for each channel. @module */
import type { Node } from '../types.js'
import type { Rewriter } from './rewriter.js'

export interface Affine {
  readonly scale: Float64Array
  readonly shift: Float64Array
}

/** (x - mean) / sqrt(var + eps) * weight + bias as x * scale + shift. */
export function affineOf(batchNorm: Node, rewriter: Rewriter): Affine {
  const read = (role: string) => (batchNorm.params[role] === undefined ? undefined : rewriter.tensor(batchNorm.params[role]))
  const [mean, variance] = [read('running_mean')!, read('running_var')!]
  const [weight, bias] = [read('weight'), read('bias')]
  const eps = batchNorm.attrs.eps as number
  const scale = Float64Array.from(variance, (value, c) => (weight?.[c] ?? 1) / Math.sqrt(value + eps))
  const shift = Float64Array.from(scale, (factor, c) => (bias?.[c] ?? 0) - mean[c]! * factor)
  return { scale, shift }
}
