/**
 * 1:1 verification: are two images of one person? Scores of pairs to everything that is reported about them.
 * @module
 */
import { FacexError } from '../errors.js'
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

/**
 * Applies a rule to scored pairs. `flip` only goes into the result: the scores are made already.
 * @param options `fars`: false accept rates to report besides the usual ones
 * @throws FacexError ERR_USAGE for a rate that the list is too small to measure
 */
export function verify(pairs: ScoredPairs, options: { rule: AccuracyRule; folds: number; flip: boolean; fars?: readonly number[] }): VerificationResult {
  const { rule, folds, flip, fars } = options
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
    tarAtFar: operatingPoints(roc, pairs.genuine, fars),
  }
}

/**
 * TAR at the false accept rates that the impostor pairs are enough to measure, and at those asked for.
 * @throws FacexError ERR_USAGE for a rate asked for that they are too few to measure
 */
export function operatingPoints(roc: RocCurve, genuine: Uint8Array, asked: readonly number[] = []): OperatingPoint[] {
  const genuineCount = genuine.reduce((sum, value) => sum + value, 0)
  const impostorCount = genuine.length - genuineCount
  const measurable = (far: number) => far * impostorCount >= 1
  const tooSmall = asked.find((far) => !measurable(far))
  if (tooSmall !== undefined) {
    throw new FacexError('ERR_USAGE', `far ${tooSmall}: ${impostorCount} impostor trials measure no rate below ${(1 / impostorCount).toPrecision(2)}`)
  }
  const fars = [...new Set([...REPORTED_FARS.filter(measurable), ...asked])].sort((a, b) => a - b)
  return fars.map((far) => {
    const { tar, threshold } = operatingPoint(roc, far)
    return { far, tar, threshold, interval: wilsonInterval(Math.round(tar * genuineCount), genuineCount) }
  })
}
