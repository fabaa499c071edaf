/**
 * Scores of pairs: cosine similarities of embeddings, in float64.
 * @module
 */
import { FacexError } from '../errors.js'

/** Embeddings of N images, row by row: [N, D]. */
export interface Embeddings {
  readonly count: number
  readonly dim: number
  readonly data: Float32Array
}

/** What every accuracy rule starts from. */
export interface ScoredPairs {
  /** Cosine similarity of each pair, -1 to 1. */
  readonly scores: Float64Array
  /** 1 where a pair shows one person. */
  readonly genuine: Uint8Array
}

/** Cosine similarity of row `first[i]` and row `second[i]` for every i. */
export function pairScores(embeddings: Embeddings, first: Uint32Array, second: Uint32Array): Float64Array {
  const norms = rowNorms(embeddings)
  const { data, dim } = embeddings
  return Float64Array.from(first, (a, i) => {
    const b = second[i]!
    let dot = 0
    for (let d = 0; d < dim; d++) dot += data[a * dim + d]! * data[b * dim + d]!
    return dot / (norms[a]! * norms[b]!)
  })
}

/** L2 norm of each row; a row that is zero or not finite has no direction and is an error. */
function rowNorms({ count, dim, data }: Embeddings): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0
    for (let d = 0; d < dim; d++) sum += data[row * dim + d]! ** 2
    if (!(sum > 0 && sum < Infinity)) {
      throw new FacexError('ERR_NON_FINITE', `embedding ${row}: expected finite values that are not all zero, found norm ${Math.sqrt(sum)}`)
    }
    return Math.sqrt(sum)
  })
}
