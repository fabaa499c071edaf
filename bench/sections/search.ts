/**
 * MegaFace's search, the 10 best of a million distractors for 3,530 probes: facex against blocked products with topk in
 * PyTorch and with argpartition in NumPy. All read the same file piece by piece.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { BenchOptions } from '../options.js'
import { median, Peer, spread, type PeerAnswer } from '../peer.js'

const [DIMS, K] = [512, 10]

const OPPONENTS = [['PyTorch, mm and topk', 'torch'], ['NumPy, @ and argpartition', 'numpy']] as const

interface Side {
  readonly name: string
  readonly peer: Peer
  readonly seconds: number[]
  last?: PeerAnswer
}

export async function benchSearch({ threads, rounds, quick, gallery = quick ? 20_000 : 1_000_000 }: BenchOptions, print: (line: string) => void): Promise<void> {
  const probes = quick ? 353 : 3530
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
  const sides: Side[] = [{ name: 'facex', peer: await Peer.node('./workers/search.js'), seconds: [] }]
  try {
    for (const [name] of OPPONENTS) sides.push({ name, peer: await Peer.python('search.py'), seconds: [] })
    const maker = await Peer.python('search.py')
    process.stderr.write('search: writing embeddings\n')
    await maker.ask({ cmd: 'make', folder, gallery, probes, dims: DIMS })
    maker.close()
    for (const [i, { peer }] of sides.entries()) await peer.ask({ cmd: 'start', folder, k: K, threads, library: OPPONENTS[i - 1]?.[1] })
    for (let round = 0; round < rounds; round++) {
      for (const side of sides) {
        process.stderr.write(`search: round ${round + 1} of ${rounds}, ${side.name}\n`)
        side.last = await side.peer.ask({ cmd: 'search' })
        side.seconds.push(side.last.seconds)
      }
    }
    const [facex, ...others] = sides as [Side, ...Side[]]
    print(`${gallery.toLocaleString('en')} x ${probes.toLocaleString('en')} x ${DIMS}, the ${K} best of each probe, float32.\n`)
    print('| | seconds | facex is faster by | peak GB | matches that differ | largest difference of a cosine |')
    print('|---|---|---|---|---|---|')
    print(`| facex | ${median(facex.seconds).toFixed(2)} | 1 | ${(facex.last!.peak_bytes / 1e9).toFixed(2)} | | |`)
    for (const other of others) {
      const { matches, cosine } = difference(facex.last!, other.last!)
      const ratio = spread(facex.seconds.map((own, round) => other.seconds[round]! / own))
      print(`| ${other.name} | ${median(other.seconds).toFixed(2)} | ${ratio} | ${(other.last!.peak_bytes / 1e9).toFixed(2)} | ${matches} of ${probes * K} | ${cosine.toExponential(1)} |`)
    }
  } finally {
    for (const { peer } of sides) peer.close()
    rmSync(folder, { recursive: true })
  }
}

/** Places of the lists that hold another row, and how far the cosines of one place are apart: neighbours may change places where they are as good as equal. */
function difference(one: PeerAnswer, two: PeerAnswer): { matches: number; cosine: number } {
  const [rows, otherRows] = [one['rows'] as number[], two['rows'] as number[]]
  const [scores, otherScores] = [one['scores'] as number[], two['scores'] as number[]]
  return {
    matches: rows.filter((row, place) => row !== otherRows[place]).length,
    cosine: scores.reduce((most, score, place) => Math.max(most, Math.abs(score - otherScores[place]!)), 0),
  }
}
