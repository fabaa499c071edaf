/** Work over a list shared between ranks: each does a run of it, and all receive everything. @module */
import type { Peers } from './peers.js'

/** The run of `total` things that belongs to a rank. */
export function shareOf(total: number, { rank, size }: Pick<Peers, 'rank' | 'size'>): { begin: number; end: number } {
  const [least, rest] = [Math.floor(total / size), total % size]
  const begin = least * rank + Math.min(rank, rest)
  return { begin, end: begin + least + (rank < rest ? 1 : 0) }
}

/**
 * Puts the rows of all ranks together.
 * @param own the rows [n, dim] of this rank's {@link shareOf} of `total`
 * @returns [total, dim] on every rank
 */
export async function gatherRows(peers: Peers, own: Float32Array, total: number, dim: number): Promise<Float32Array> {
  if (peers.group === undefined) return own
  const longest = shareOf(total, { rank: 0, size: peers.size }).end
  const padded = new Float32Array(longest * dim)
  padded.set(own)
  const gathered = await peers.group.allGather({ name: 'rows', dtype: 'float32', shape: [longest, dim], data: padded.buffer })
  const rows = new Float32Array(gathered.data)
  const result = new Float32Array(total * dim)
  for (let rank = 0; rank < peers.size; rank++) {
    const { begin, end } = shareOf(total, { rank, size: peers.size })
    result.set(rows.subarray(rank * longest * dim, (rank * longest + end - begin) * dim), begin * dim)
  }
  return result
}
