import { EmbeddingWriter } from '../../lib/evaluation/npy.js'
import type { Embeddings } from '../../lib/evaluation/scores.js'

/** A file of embeddings with the names of its rows, as `facex extract` leaves them. */
export function writeEmbeddings(out: string, { dim, data }: Embeddings, names: readonly string[]): { array: string; names: string } {
  const writer = new EmbeddingWriter(out, names, dim)
  writer.add(data)
  return writer.close()
}
