/** Embedding shared between processes: each embeds its run of the images, and all receive everything. @module */
import type { Peers } from '../distributed/peers.js'
import { gatherRows, shareOf } from '../distributed/sharded-rows.js'
import type { ImageEmbedder } from './evaluate.js'

/**
 * An embedder that all ranks call with the same images. A process alone gets `embedder` back.
 *
 * With several ranks the work ends only when all of it is done, signals or not: a rank that left early would leave the
 * others waiting.
 */
export function shardedEmbedder(embedder: ImageEmbedder, peers: Peers): ImageEmbedder {
  if (peers.size === 1) return embedder
  return {
    size: embedder.size,
    async embed(images, { signal: _signal, ...options } = {}) {
      const { begin, end } = shareOf(images.length, peers)
      const own = await embedder.embed(images.slice(begin, end), { ...options, firstNumber: (options.firstNumber ?? 0) + begin })
      return gatherRows(peers, own, images.length, embedder.size)
    },
  }
}
