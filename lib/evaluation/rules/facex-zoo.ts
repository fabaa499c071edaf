/**
 * FaceX-Zoo's rule: of 1000 evenly spaced thresholds over the range of the training folds' scores, the first with the
 * largest TPR - FPR; a score equal to the threshold is wrong either way. The figure after the mean is its standard error.
 * @module
 */
import type { ScoredPairs } from '../scores.js'
import { otherFolds, squaredDeviations, type AccuracyRule, type FoldResult } from './rule.js'

const STEPS = 1000

export const facexZoo: AccuracyRule = {
  name: 'facex_zoo',
  summary: 'threshold with the largest TPR - FPR on the other folds, no mirror images (FaceX-Zoo)',
  flip: false,
  unit: 'cosine similarity',
  spreadName: 'standard error',
  evaluate: (pairs, folds) => folds.map((fold, index) => evaluateFold(pairs, fold, bestThreshold(pairs, otherFolds(folds, index)))),
  spread: (accuracies) => Math.sqrt(squaredDeviations(accuracies) / (accuracies.length - 1) / accuracies.length),
}

function evaluateFold({ scores, genuine }: ScoredPairs, fold: Uint32Array, threshold: number): FoldResult {
  const correct = fold.reduce((sum, pair) => sum + Number(genuine[pair] === 1 ? scores[pair]! > threshold : scores[pair]! < threshold), 0)
  return { threshold, correct, pairs: fold.length }
}

function bestThreshold({ scores, genuine }: ScoredPairs, training: Uint32Array): number {
  const sorted = (kind: number) => Float64Array.from(training.filter((pair) => genuine[pair] === kind), (pair) => scores[pair]!).sort()
  const same = sorted(1)
  const different = sorted(0)
  const lowest = Math.min(same[0]!, different[0]!)
  const highest = Math.max(same.at(-1)!, different.at(-1)!)
  const step = (highest - lowest) / STEPS
  let best = lowest
  let bestMargin = -Infinity
  let rejectedSame = 0
  let rejectedDifferent = 0
  for (let i = 1; i <= STEPS; i++) {
    const threshold = lowest + step * i
    while (rejectedSame < same.length && same[rejectedSame]! <= threshold) rejectedSame++
    while (rejectedDifferent < different.length && different[rejectedDifferent]! <= threshold) rejectedDifferent++
    const tpr = (same.length - rejectedSame) / same.length
    const fpr = (different.length - rejectedDifferent) / different.length
    if (tpr - fpr > bestMargin) [best, bestMargin] = [threshold, tpr - fpr]
  }
  return best
}
