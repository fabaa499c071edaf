/**
 * The receiver operating characteristic of scored pairs and what is read off it. A pair is accepted when its score is at
 * least the threshold; FAR is the share of impostor pairs accepted, TAR that of genuine pairs.
 * @module
 */
import type { ScoredPairs } from './scores.js'

/** One point for every different score, thresholds descending; the first point accepts nothing. */
export interface RocCurve {
  readonly thresholds: Float64Array
  readonly far: Float64Array
  readonly tar: Float64Array
}

export function rocCurve({ scores, genuine }: ScoredPairs): RocCurve {
  // Each kind sorted on its own, then merged: IJB has fifteen million pairs.
  const same = scores.filter((_, pair) => genuine[pair] === 1).sort()
  const different = scores.filter((_, pair) => genuine[pair] === 0).sort()
  const thresholds = new Float64Array(scores.length + 1)
  const far = new Float64Array(scores.length + 1)
  const tar = new Float64Array(scores.length + 1)
  thresholds[0] = Infinity
  let [points, i, j] = [1, same.length - 1, different.length - 1]
  for (; i >= 0 || j >= 0; points++) {
    const threshold = Math.max(same[i] ?? -Infinity, different[j] ?? -Infinity)
    // Pairs of one score are accepted together: the point stands after the last of them.
    while (i >= 0 && same[i]! >= threshold) i--
    while (j >= 0 && different[j]! >= threshold) j--
    thresholds[points] = threshold
    far[points] = (different.length - 1 - j) / different.length
    tar[points] = (same.length - 1 - i) / same.length
  }
  return { thresholds: thresholds.slice(0, points), far: far.slice(0, points), tar: tar.slice(0, points) }
}

/** The operating point at a false accept rate: the last one whose FAR does not exceed it. */
export function operatingPoint(roc: RocCurve, far: number): { threshold: number; far: number; tar: number } {
  let at = 0
  while (at + 1 < roc.far.length && roc.far[at + 1]! <= far) at++
  return { threshold: roc.thresholds[at]!, far: roc.far[at]!, tar: roc.tar[at]! }
}

/** Area under TAR over FAR, by trapezoids: the chance that a genuine pair scores above an impostor pair. */
export function areaUnderCurve({ far, tar }: RocCurve): number {
  let area = 0
  for (let i = 1; i < far.length; i++) area += ((far[i]! - far[i - 1]!) * (tar[i]! + tar[i - 1]!)) / 2
  return area
}

/** Equal error rate: where FAR meets 1 - TAR, linear between the two points around the crossing. */
export function equalErrorRate({ far, tar }: RocCurve): number {
  for (let i = 1; i < far.length; i++) {
    const after = far[i]! - (1 - tar[i]!)
    if (after < 0) continue
    const before = far[i - 1]! - (1 - tar[i - 1]!)
    const share = -before / (after - before)
    return far[i - 1]! + share * (far[i]! - far[i - 1]!)
  }
  return 1
}
