/**
 * MegaFace's identification: a photo of a person hides among distractors, the others look for it.
 *
 * Every ordered pair of different photos of one person is a trial: the first joins the distractors as the only mate of
 * the second, which succeeds at rank k when fewer than k distractors score higher than the mate does.
 * @module
 */
import { wilsonInterval } from './confidence.js'
import { pairScores, type Embeddings } from './scores.js'

export interface RankAccuracy {
  readonly rank: number
  /** Share of trials that succeed. */
  readonly accuracy: number
  /** 95% confidence interval (Wilson). */
  readonly interval: readonly [number, number]
}

export interface IdentificationInput {
  /** Photos that join the distractors, a row a photo. */
  readonly gallery: Embeddings
  /** The same photos as they are looked for; masked faces, or the gallery itself. */
  readonly probes: Embeddings
  /** Person of each row. */
  readonly persons: readonly string[]
  /** Scores of the best distractors of each probe [P, k], descending. */
  readonly distractorScores: Float32Array
  /** k */
  readonly depth: number
}

/** Rank accuracies for each rank up to the depth that is asked for. */
export function identificationRanks({ gallery, probes, persons, distractorScores, depth }: IdentificationInput, ranks: readonly number[]): { trials: number; ranks: RankAccuracy[] } {
  const members = new Map<string, number[]>()
  persons.forEach((person, row) => members.set(person, [...(members.get(person) ?? []), row]))
  const both = joined(gallery, probes)
  const successes = ranks.map(() => 0)
  let trials = 0
  for (const rows of members.values()) {
    const trialsOfPerson = rows.flatMap((mate) => rows.filter((probe) => probe !== mate).map((probe) => [mate, probe] as const))
    const scores = pairScores(both, Uint32Array.from(trialsOfPerson, ([mate]) => mate), Uint32Array.from(trialsOfPerson, ([, probe]) => gallery.count + probe))
    trials += trialsOfPerson.length
    trialsOfPerson.forEach(([, probe], trial) => {
      ranks.forEach((rank, i) => {
        if (Math.fround(scores[trial]!) >= distractorScores[probe * depth + rank - 1]!) successes[i]!++
      })
    })
  }
  return { trials, ranks: ranks.map((rank, i) => ({ rank, accuracy: successes[i]! / trials, interval: wilsonInterval(successes[i]!, trials) })) }
}

function joined(a: Embeddings, b: Embeddings): Embeddings {
  const data = new Float32Array(a.data.length + b.data.length)
  data.set(a.data)
  data.set(b.data, a.data.length)
  return { count: a.count + b.count, dim: a.dim, data }
}
