/**
 * The most similar gallery rows of probes, by cosine; native and blocked, so that a gallery of any size streams through.
 * P probes, D numbers an embedding, k hits a probe.
 * @module
 */
import { addon } from '../native.js'
import type { Embeddings } from './scores.js'

export interface SearchResult {
  readonly k: number
  /** Cosine similarities [P, k], best first; -Infinity where the gallery is smaller than k. */
  readonly scores: Float32Array
  /** Gallery rows [P, k]; -1 where the gallery is smaller than k. */
  readonly rows: Int32Array
}

/**
 * @param gallery pieces in order; how the gallery is cut does not change the result
 * @throws FacexError ERR_NON_FINITE for an embedding that is zero or not finite
 */
export async function searchTopK(probes: Embeddings, gallery: Iterable<Embeddings> | AsyncIterable<Embeddings>, k: number): Promise<SearchResult> {
  const search = new (addon().TopK)(tensorOf('probes', probes), k)
  for await (const piece of gallery) await search.add(tensorOf('gallery', piece))
  const { scores, rows } = await search.finish()
  return { k, scores: new Float32Array(scores.data), rows: new Int32Array(rows.data) }
}

function tensorOf(name: string, { count, dim, data }: Embeddings) {
  const content = data.buffer.byteLength === data.byteLength ? (data.buffer as ArrayBuffer) : data.slice().buffer
  return { name, dtype: 'float32', shape: [count, dim], data: content } as const
}
