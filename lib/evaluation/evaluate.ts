/**
 * Verification from images: embeds every image of a pair set once, scores the pairs, applies a rule.
 * @module
 */
import { rules } from './rules/index.js'
import type { AccuracyRule } from './rules/rule.js'
import { withPlaces } from './places.js'
import { pairScores } from './scores.js'
import type { ImagePairs, Images } from './pair-set.js'
import { verify, type VerificationResult } from './verification.js'

/** Whatever turns images (paths of files, or their contents) into embeddings [N, D]: a loaded model, or the network of a running training. */
export interface ImageEmbedder {
  /** D */
  readonly size: number
  embed(images: Images, options?: EmbedOptions): Promise<Float32Array>
}

export interface EmbedOptions {
  readonly batchSize?: number
  /** Add the embedding of the mirrored image. */
  readonly flip?: boolean
  /** Ends early with ERR_ABORTED. */
  readonly signal?: AbortSignal
  /** Number of the first image in messages, where it is part of something longer or has no path; 0 when absent. */
  readonly firstNumber?: number
  readonly onProgress?: (done: number, total: number) => void
}

export interface EvaluateOptions extends EmbedOptions {
  /** @default insightface's */
  readonly rule?: AccuracyRule
  /** @default what the list declares, else 10 */
  readonly folds?: number
  /** False accept rates to report besides the usual ones. */
  readonly fars?: readonly number[]
}

/** What an evaluation yields: the figures, how long it took, and the scores for curves. */
export interface Evaluation extends VerificationResult {
  readonly name: string
  /** Different images that were embedded. */
  readonly images: number
  readonly seconds: number
  /** Cosine similarity of each pair. */
  readonly scores: Float64Array
  /** 1 where a pair shows one person. */
  readonly genuine: Uint8Array
}

const DEFAULT_FOLDS = 10
const DEFAULT_RULE = 'insightface'

/**
 * @throws FacexError ERR_DATA for an image that does not decode or a list too small for its folds; ERR_NON_FINITE when
 * an embedding is not a number
 */
export async function evaluatePairs(embedder: ImageEmbedder, set: ImagePairs, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { rule = rules.find((row) => row.name === DEFAULT_RULE)!, folds = set.list.folds ?? DEFAULT_FOLDS, fars, ...embedding } = options
  const flip = options.flip ?? rule.flip
  const start = performance.now()
  const data = await withPlaces(set.files, set.place, () => embedder.embed(set.files, { ...embedding, flip }))
  const scores = pairScores({ count: set.files.length, dim: embedder.size, data }, set.list.first, set.list.second)
  const result = verify({ scores, genuine: set.list.genuine }, { rule, folds, flip, fars })
  return { name: set.name, ...result, images: set.files.length, seconds: (performance.now() - start) / 1000, scores, genuine: set.list.genuine }
}
