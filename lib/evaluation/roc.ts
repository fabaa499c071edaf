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
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!)
  const genuineCount = genuine.reduce((sum, value) => sum + value, 0)
  const impostorCount = genuine.length - genuineCount
  const points: [threshold: number, far: number, tar: number][] = [[Infinity, 0, 0]]
  let accepted = 0
  let acceptedGenuine = 0
  for (const [i, pair] of order.entries()) {
    accepted++
    acceptedGenuine += genuine[pair]!
    // Pairs of one score are accepted together: the point stands after the last of them.
    if (i + 1 < order.length && scores[order[i + 1]!] === scores[pair]) continue
    points.push([scores[pair]!, (accepted - acceptedGenuine) / impostorCount, acceptedGenuine / genuineCount])
  }
  return {
    thresholds: Float64Array.from(points, (point) => point[0]),
    far: Float64Array.from(points, (point) => point[1]),
    tar: Float64Array.from(points, (point) => point[2]),
  }
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
