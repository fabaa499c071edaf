/**
 * The outside shape of an accuracy rule: how the threshold of a fold is chosen, what counts as right, and how the folds'
 * accuracies become one figure. Rules differ by several tenths of a percent on the same scores, so every result names
 * the one it was made with.
 * @module
 */
import type { ScoredPairs } from '../scores.js'

export interface AccuracyRule {
  readonly name: string
  readonly summary: string
  /** Whether the embedding of an image is the sum of those of the image and of its mirror image. */
  readonly flip: boolean
  /** What {@link FoldResult.threshold} is measured in. */
  readonly unit: 'cosine similarity' | 'squared distance'
  /** What {@link spread} is: the standard deviation over the folds, or the standard error of their mean. */
  readonly spreadName: 'standard deviation' | 'standard error'
  /** Accuracy of each fold at the threshold that is best on the others. */
  evaluate(pairs: ScoredPairs, folds: readonly Uint32Array[]): FoldResult[]
  /** The figure printed after the mean. */
  spread(accuracies: readonly number[]): number
}

export interface FoldResult {
  readonly threshold: number
  readonly correct: number
  readonly pairs: number
}

/** Pair indices outside one fold. */
export function otherFolds(folds: readonly Uint32Array[], without: number): Uint32Array {
  const others = folds.filter((_, fold) => fold !== without)
  const all = new Uint32Array(others.reduce((sum, fold) => sum + fold.length, 0))
  let at = 0
  for (const fold of others) {
    all.set(fold, at)
    at += fold.length
  }
  return all
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Sum of squared deviations from the mean. */
export function squaredDeviations(values: readonly number[]): number {
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
}
