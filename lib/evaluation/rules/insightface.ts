/**
 * insightface's rule: the smallest of the squared L2 distances 0, 0.01 ... 3.99 with the best accuracy on the training
 * folds; a pair is accepted below it. Embeddings of an image and its mirror are summed. The figure after the mean is the
 * standard deviation over the folds.
 * @module
 */
import type { ScoredPairs } from '../scores.js'
import { otherFolds, squaredDeviations, type AccuracyRule, type FoldResult } from './rule.js'

const THRESHOLDS = 400
const STEP = 0.01

export const insightface: AccuracyRule = {
  name: 'insightface',
  summary: 'threshold with the best accuracy on the other folds, mirror images added (insightface)',
  flip: true,
  unit: 'squared distance',
  spreadName: 'standard deviation',
  evaluate: (pairs, folds) => folds.map((fold, index) => evaluateFold(pairs, fold, bestThreshold(pairs, otherFolds(folds, index)))),
  spread: (accuracies) => Math.sqrt(squaredDeviations(accuracies) / accuracies.length),
}

/** Squared L2 distance of two unit vectors. */
function squaredDistance(cosine: number): number {
  return 2 - 2 * cosine
}

function evaluateFold({ scores, genuine }: ScoredPairs, fold: Uint32Array, threshold: number): FoldResult {
  const correct = fold.reduce((sum, pair) => sum + Number(squaredDistance(scores[pair]!) < threshold === (genuine[pair] === 1)), 0)
  return { threshold, correct, pairs: fold.length }
}

function bestThreshold({ scores, genuine }: ScoredPairs, training: Uint32Array): number {
  const order = training.slice().sort((a, b) => scores[b]! - scores[a]!)
  // Accepting nothing is right about every impostor; each pair passed by the threshold adds or takes one.
  let correct = order.reduce((sum, pair) => sum + 1 - genuine[pair]!, 0)
  let best = 0
  let bestCorrect = -1
  let accepted = 0
  for (let i = 0; i < THRESHOLDS; i++) {
    const threshold = i * STEP
    while (accepted < order.length && squaredDistance(scores[order[accepted]!]!) < threshold) correct += genuine[order[accepted++]!] === 1 ? 1 : -1
    if (correct > bestCorrect) [best, bestCorrect] = [threshold, correct]
  }
  return best
}
