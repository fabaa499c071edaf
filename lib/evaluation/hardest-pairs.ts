/**
 * The pairs that a model gets most wrong: people whom it takes for one another, and people whom it does not know again.
 * @module
 */
import type { ScoredPairs } from './scores.js'

export interface HardestPairs {
  /** Pairs of two people, the most similar first. */
  readonly impostors: readonly number[]
  /** Pairs of one person, the least similar first. */
  readonly genuine: readonly number[]
}

/** Indices of at most `count` pairs of each kind. */
export function hardestPairs({ scores, genuine }: ScoredPairs, count: number): HardestPairs {
  const ofKind = (kind: number) => [...scores.keys()].filter((pair) => genuine[pair] === kind)
  return {
    impostors: ofKind(0).sort((a, b) => scores[b]! - scores[a]!).slice(0, count),
    genuine: ofKind(1).sort((a, b) => scores[a]! - scores[b]!).slice(0, count),
  }
}
