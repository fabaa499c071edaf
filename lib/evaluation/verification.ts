/**
 * 1:1 verification: are two images of one person? Scores of pairs to everything that is reported about them.
 * @module
 */
import { wilsonInterval } from './confidence.js'
import { makeFolds } from './folds.js'
import { areaUnderCurve, equalErrorRate, operatingPoint, rocCurve, type RocCurve } from './roc.js'
import { mean, type AccuracyRule } from './rules/rule.js'
import type { ScoredPairs } from './scores.js'

/** False accept rates that are reported, each where the list has enough impostor pairs to measure it. */
const REPORTED_FARS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]

export interface OperatingPoint {
  /** False accept rate asked for. */
  readonly far: number
  readonly tar: number
  /** Cosine similarity from which pairs are accepted. */
  readonly threshold: number
  /** 95% confidence interval of `tar`. */
  readonly interval: readonly [number, number]
}

export interface VerificationResult {
  /** Mean over the folds, 0 to 1. */
  readonly accuracy: number
  /** Spread of the folds; `spread` says which. */
  readonly std: number
  readonly spread: AccuracyRule['spreadName']
  /** 95% confidence interval of the accuracy over all pairs (Wilson). */
  readonly interval: readonly [number, number]
  readonly rule: string
  /** Whether embeddings of mirror images were added. */
  readonly flip: boolean
  readonly folds: number
  readonly pairs: number
  /** Mean of the folds' thresholds. */
  readonly threshold: number
  readonly thresholdUnit: AccuracyRule['unit']
  readonly foldAccuracies: readonly number[]
  readonly auc: number
  readonly equalErrorRate: number
  readonly tarAtFar: readonly OperatingPoint[]
}

/** Applies a rule to scored pairs. `flip` only goes into the result: the scores are made already. */
export function verify(pairs: ScoredPairs, options: { rule: AccuracyRule; folds: number; flip: boolean }): VerificationResult {
  const { rule, folds, flip } = options
  const results = rule.evaluate(pairs, makeFolds(pairs.genuine, folds))
  const foldAccuracies = results.map((fold) => fold.correct / fold.pairs)
  const roc = rocCurve(pairs)
  const total = results.reduce((sum, fold) => sum + fold.correct, 0)
  return {
    accuracy: mean(foldAccuracies),
    std: rule.spread(foldAccuracies),
    spread: rule.spreadName,
    interval: wilsonInterval(total, pairs.genuine.length),
    rule: rule.name,
    flip,
    folds,
    pairs: pairs.genuine.length,
    threshold: mean(results.map((fold) => fold.threshold)),
    thresholdUnit: rule.unit,
    foldAccuracies,
    auc: areaUnderCurve(roc),
    equalErrorRate: equalErrorRate(roc),
    tarAtFar: operatingPoints(roc, pairs.genuine),
  }
}

/** TAR at the false accept rates that the impostor pairs are enough to measure. */
export function operatingPoints(roc: RocCurve, genuine: Uint8Array): OperatingPoint[] {
  const genuineCount = genuine.reduce((sum, value) => sum + value, 0)
  const impostorCount = genuine.length - genuineCount
  return REPORTED_FARS.filter((far) => far * impostorCount >= 1).map((far) => {
    const { tar, threshold } = operatingPoint(roc, far)
    return { far, tar, threshold, interval: wilsonInterval(Math.round(tar * genuineCount), genuineCount) }
  })
}
