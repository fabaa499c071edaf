/**
 * Open-set identification: probes look for their person in a gallery that holds some of them and not the others. How
 * often is the right one found, and how often does somebody who is not there raise an alarm?
 * @module
 */
import { wilsonInterval } from './confidence.js'
import type { RankAccuracy } from './identification.js'
import { rocCurve } from './roc.js'
import type { Embeddings } from './scores.js'
import { searchTopK } from './search.js'
import { operatingPoints, type OperatingPoint } from './verification.js'

export interface OpenSetInput {
  readonly gallery: Embeddings
  /** Person of each gallery row. */
  readonly gallerySubjects: readonly number[]
  readonly probes: Embeddings
  readonly probeSubjects: readonly number[]
}

export interface OpenSetResult {
  /** Gallery rows. */
  readonly gallery: number
  /** Probes whose person is in the gallery, and those whose person is not. */
  readonly mated: number
  readonly nonMated: number
  /** Over the mated probes. */
  readonly ranks: readonly RankAccuracy[]
  /**
   * `far` is FPIR, the share of non-mated probes with a candidate that reaches the threshold; `tar` is TPIR, the share of
   * mated probes whose own person does, among the {@link CANDIDATES} best.
   */
  readonly tpirAtFpir: readonly OperatingPoint[]
}

/** Length of a probe's list of candidates, as in the protocol of IJB-A (Klare et al., CVPR 2015). */
export const CANDIDATES = 20
const RANKS = [1, 5, 10]
/** Below every cosine: a person who is not among the candidates. */
const NOT_FOUND = -2

/** @throws FacexError ERR_NON_FINITE; ERR_USAGE for an FPIR that the non-mated probes are too few to measure */
export async function searchOpenSet({ gallery, gallerySubjects, probes, probeSubjects }: OpenSetInput, fpirs: readonly number[] = []): Promise<OpenSetResult> {
  const { scores, rows, k } = await searchTopK(probes, [gallery], CANDIDATES)
  const present = new Set(gallerySubjects)
  const genuine = Uint8Array.from(probeSubjects, (subject) => Number(present.has(subject)))
  const places = probeSubjects.map((subject, probe) => rows.subarray(probe * k, (probe + 1) * k).findIndex((row) => row >= 0 && gallerySubjects[row] === subject))
  const decisive = Float64Array.from(places, (place, probe) => (genuine[probe] === 0 ? scores[probe * k]! : place < 0 ? NOT_FOUND : scores[probe * k + place]!))
  const mated = genuine.reduce((sum, value) => sum + value, 0)
  const ranks = RANKS.map((rank) => {
    const found = places.filter((place) => place >= 0 && place < rank).length
    return { rank, accuracy: found / mated, interval: wilsonInterval(found, mated) }
  })
  return {
    gallery: gallery.count,
    mated,
    nonMated: genuine.length - mated,
    ranks,
    tpirAtFpir: operatingPoints(rocCurve({ scores: decisive, genuine }), genuine, fpirs),
  }
}
