/**
 * Several models as one: embeddings of unit length side by side, so that every model counts the same. Masked faces are
 * known best by a model of the whole face and one of the upper half together. Each prepares its images its own way.
 * @module
 */
import { FacexError } from '../errors.js'
import type { EmbedOptions, ImageEmbedder } from './evaluate.js'
import type { Images } from './pair-set.js'

export class JoinedEmbedder implements ImageEmbedder {
  readonly size: number
  readonly #parts: readonly ImageEmbedder[]

  constructor(parts: readonly ImageEmbedder[]) {
    this.#parts = parts
    this.size = parts.reduce((sum, part) => sum + part.size, 0)
  }

  /** @throws FacexError ERR_NON_FINITE for an embedding without direction, and what the models throw */
  async embed(images: Images, { onProgress, ...options }: EmbedOptions = {}): Promise<Float32Array> {
    const joined = new Float32Array(images.length * this.size)
    const total = images.length * this.#parts.length
    let [column, before] = [0, 0]
    for (const part of this.#parts) {
      const data = await part.embed(images, { ...options, onProgress: (done) => onProgress?.(before + done, total) })
      for (let row = 0; row < images.length; row++) joined.set(unit(data.subarray(row * part.size, (row + 1) * part.size), row), row * this.size + column)
      column += part.size
      before += images.length
    }
    return joined
  }
}

function unit(embedding: Float32Array, row: number): Float32Array {
  const norm = Math.sqrt(embedding.reduce((sum, value) => sum + value * value, 0))
  if (!(norm > 0 && norm < Infinity)) throw new FacexError('ERR_NON_FINITE', `embedding ${row}: expected finite values that are not all zero, found norm ${norm}`)
  return embedding.map((value) => value / norm)
}
