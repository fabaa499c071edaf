/**
 * Open-set identification: probes look for their person in a gallery that holds some of them and not the others. How
 * often is the right one found, and how often does somebody who is not there raise an alarm?
 * @module
 */
import { wilsonInterval } from './confidence.js'
import type { RankAccuracy } from './identification.js'
import { operatingPoint, rocCurve, type RocCurve } from './roc.js'
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

/** Both rates at one threshold, 0 to 1. */
export interface OpenSetPoint {
  readonly fpir: number
  readonly tpir: number
}

export interface OpenSetResult {
  /** Gallery rows. */
  readonly gallery: number
  /** Probes whose person is in the gallery, and those whose person is not. */
  readonly mated: number
  readonly nonMated: number
  /** Over the mated probes. */
  readonly ranks: readonly RankAccuracy[]
  /** Share of the mated probes whose own person is among the 1, 2 ... {@link CANDIDATES} best. */
  readonly cmc: readonly number[]
  /**
   * `far` is FPIR, the share of non-mated probes with a candidate that reaches the threshold; `tar` is TPIR, the share of
   * mated probes whose own person does, at any place among the {@link CANDIDATES} best. A stranger who scores higher than
   * the mate, or reaches the threshold too, does not count against it.
   */
  readonly tpirAtFpir: readonly OperatingPoint[]
  /** TPIR over FPIR at {@link POINTS_PER_DECADE} powers of ten a decade, from the lowest rate that can be measured. */
  readonly curve: readonly OpenSetPoint[]
}

/** How finely {@link OpenSetResult.curve} is drawn. */
const POINTS_PER_DECADE = 20
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
  const roc = rocCurve({ scores: decisive, genuine })
  const nonMated = genuine.length - mated
  return {
    gallery: gallery.count,
    mated,
    nonMated,
    ranks,
    cmc: Array.from({ length: CANDIDATES }, (_, rank) => places.filter((place) => place >= 0 && place <= rank).length / mated),
    tpirAtFpir: operatingPoints(roc, genuine, fpirs),
    curve: curveOf(roc, nonMated),
  }
}

function curveOf(roc: RocCurve, nonMated: number): OpenSetPoint[] {
  const steps = Math.floor(Math.log10(nonMated) * POINTS_PER_DECADE)
  return Array.from({ length: steps + 1 }, (_, i) => {
    const fpir = 10 ** ((i - steps) / POINTS_PER_DECADE)
    return { fpir, tpir: operatingPoint(roc, fpir).tar }
  })
}
