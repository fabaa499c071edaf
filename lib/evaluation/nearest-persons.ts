/**
 * Who is on a photo: persons of a gallery by the similarity of their best photo.
 * @module
 */
import { pairScores, type Embeddings } from './scores.js'

export interface PersonMatch {
  /** Label of the person. */
  readonly person: number
  /** Index of the person's most similar photo in the gallery. */
  readonly photo: number
  /** Cosine similarity of that photo. */
  readonly similarity: number
}

/**
 * @param embeddings the photo in question, then the photos of the gallery
 * @param labels person of each photo of the gallery
 * @returns every person once, most similar first
 */
export function nearestPersons(embeddings: Embeddings, labels: Int32Array): PersonMatch[] {
  const scores = pairScores(embeddings, new Uint32Array(labels.length), Uint32Array.from(labels, (_, photo) => photo + 1))
  const best = new Map<number, PersonMatch>()
  labels.forEach((person, photo) => {
    const similarity = scores[photo]!
    if (similarity > (best.get(person)?.similarity ?? -Infinity)) best.set(person, { person, photo, similarity })
  })
  return [...best.values()].sort((a, b) => b.similarity - a.similarity)
}
