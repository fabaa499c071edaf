/** First values of parameters, under PyTorch's names. @module */
import { elements } from '../graph/shape.js'
import type { Initializer } from '../graph/types.js'

export const constant = (value: number): Initializer => ({ kind: 'constant', value })
export const zeros = constant(0)
export const ones = constant(1)

export const uniform = (bound: number): Initializer => ({ kind: 'uniform', low: -bound, high: bound })
export const normal = (std: number): Initializer => ({ kind: 'normal', mean: 0, std })

/** PyTorch's trunc_normal_: cut off at -2 and 2, not at two standard deviations. */
export const truncatedNormal = (std: number): Initializer => ({ kind: 'truncated_normal', std, low: -2, high: 2 })

/** Fixed content, row-major. */
export const values = (content: readonly number[]): Initializer => ({ kind: 'values', values: content })

/** Inputs of one output element: all dimensions of a weight but the first. */
export const fanIn = (shape: readonly number[]): number => elements(shape.slice(1))

/** What convolutions and linear layers of PyTorch start with: kaiming_uniform with a = sqrt(5), weight and bias alike. */
export const defaultUniform = (shape: readonly number[]): Initializer => uniform(1 / Math.sqrt(fanIn(shape)))

/** kaiming_normal with mode fan_out for ReLU. */
export function kaimingFanOut([out, , ...kernel]: readonly number[], groups = 1): Initializer {
  return normal(Math.sqrt((2 * groups) / (out! * elements(kernel))))
}
