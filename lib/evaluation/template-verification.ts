/**
 * IJB's 1:1 protocol: pairs of templates instead of pairs of images, so no folds and no accuracy; TAR at fixed FAR.
 * @module
 */
import type { EmbedOptions, ImageEmbedder } from './evaluate.js'
import { areaUnderCurve, equalErrorRate, rocCurve } from './roc.js'
import { pairScores } from './scores.js'
import { embedTemplates, TemplatePool, type ListedTemplateImages } from './templates.js'
import { operatingPoints, type OperatingPoint } from './verification.js'

export interface TemplateSet extends ListedTemplateImages {
  readonly name: string
  /** Template numbers of each pair, and 1 where they show one person. */
  readonly first: Uint32Array
  readonly second: Uint32Array
  readonly genuine: Uint8Array
}

export interface TemplateVerification {
  readonly name: string
  readonly templates: number
  readonly images: number
  readonly pairs: number
  readonly flip: boolean
  /** Whether detector scores weighed the images. */
  readonly weighted: boolean
  readonly auc: number
  readonly equalErrorRate: number
  readonly tarAtFar: readonly OperatingPoint[]
  readonly seconds: number
  /** Cosine similarity of each pair, and 1 where it shows one person. */
  readonly scores: Float64Array
  readonly genuine: Uint8Array
}

/** @throws FacexError ERR_DATA for an image that does not decode or a pair of a template without images; ERR_NON_FINITE */
export async function verifyTemplates(embedder: ImageEmbedder, set: TemplateSet, { fars, ...options }: EmbedOptions & { readonly fars?: readonly number[] } = {}): Promise<TemplateVerification> {
  const start = performance.now()
  const pool = new TemplatePool(set, embedder.size)
  const first = set.first.map((template) => pool.row(template))
  const second = set.second.map((template) => pool.row(template))
  await embedTemplates(embedder, set, pool, options)
  const scores = pairScores(pool.embeddings(), first, second)
  const roc = rocCurve({ scores, genuine: set.genuine })
  return {
    name: set.name,
    templates: pool.numbers.length,
    images: set.files.length,
    pairs: scores.length,
    flip: options.flip ?? false,
    weighted: set.weights !== undefined,
    auc: areaUnderCurve(roc),
    equalErrorRate: equalErrorRate(roc),
    tarAtFar: operatingPoints(roc, set.genuine, fars),
    seconds: (performance.now() - start) / 1000,
    scores,
    genuine: set.genuine,
  }
}
