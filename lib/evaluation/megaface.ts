/**
 * MegaFace: photos of known persons among up to a million distractors, which stream through the search.
 * @module
 */
import type { EmbedOptions, ImageEmbedder } from './evaluate.js'
import { identificationRanks, type RankAccuracy } from './identification.js'
import { withPlaces } from './places.js'
import type { Embeddings } from './scores.js'
import { searchTopK } from './search.js'

export interface MegaFaceSet {
  readonly name: string
  /** Photos that hide among the distractors, and the person of each. */
  readonly photos: readonly string[]
  readonly persons: readonly string[]
  /** The same photos with masks on, which then do the looking. */
  readonly masked?: readonly string[]
  readonly distractors: readonly string[]
  /** Where a photo and a distractor are named, for messages. */
  readonly photoPlace: (photo: number) => string
  readonly distractorPlace: (distractor: number) => string
}

export interface IdentificationResult {
  readonly name: string
  readonly probes: number
  readonly distractors: number
  readonly masked: boolean
  /** Whether embeddings of mirror images were added. */
  readonly flip: boolean
  readonly trials: number
  readonly ranks: readonly RankAccuracy[]
  /** Share of trials that succeed at rank 1, 2 ... 10. */
  readonly cmc: readonly number[]
  readonly seconds: number
}

const RANKS = [1, 3, 5, 10]
/** Distractors embedded before they are searched: what is in memory at once. */
const PIECE = 16384

/** @throws FacexError ERR_DATA for an image that does not decode; ERR_NON_FINITE */
export async function identify(embedder: ImageEmbedder, set: MegaFaceSet, options: EmbedOptions = {}): Promise<IdentificationResult> {
  const start = performance.now()
  const dim = embedder.size
  const embed = async (files: readonly string[], place: (file: number) => string, piece: Pick<EmbedOptions, 'firstNumber' | 'onProgress'> = { onProgress: undefined }): Promise<Embeddings> => ({
    count: files.length,
    dim,
    data: await withPlaces(files, place, () => embedder.embed(files, { ...options, ...piece })),
  })
  const gallery = await embed(set.photos, set.photoPlace)
  const probes = set.masked === undefined ? gallery : await embed(set.masked, set.photoPlace)
  const total = set.distractors.length
  async function* pieces(): AsyncGenerator<Embeddings> {
    for (let done = 0; done < total; done += PIECE) {
      const piece = set.distractors.slice(done, done + PIECE)
      const onProgress = (count: number) => options.onProgress?.(done + count, total)
      yield embed(piece, (file) => set.distractorPlace(done + file), { firstNumber: done, onProgress })
    }
  }
  const depth = Math.max(...RANKS)
  const { scores: distractorScores } = await searchTopK(probes, pieces(), depth)
  const everyRank = Array.from({ length: depth }, (_, i) => i + 1)
  const { trials, ranks } = identificationRanks({ gallery, probes, persons: set.persons, distractorScores, depth }, everyRank)
  return { name: set.name, probes: probes.count, distractors: total, masked: set.masked !== undefined, flip: options.flip ?? false, trials, ranks: ranks.filter(({ rank }) => RANKS.includes(rank)), cmc: ranks.map(({ accuracy }) => accuracy), seconds: (performance.now() - start) / 1000 }
}
