/**
 * A verification protocol from image files to the accuracy: facex against FaceX-Zoo's way in PyTorch eager, with the same
 * weights in the same PyTorch file and the same rule. Both decode with as many threads or workers as they compute with.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { writeSynthetic } from '../../lib/data/synthetic/source.js'
import { openPairSet, type PairSet } from '../../lib/evaluation/pair-set.js'
import { convertWeights } from '../../lib/model/convert.js'
import { readCheckpointMeta } from '../../lib/model/checkpoint.js'
import { writeFirstWeights } from '../network-file.js'
import type { BenchOptions } from '../options.js'
import { median, Peer, spread, type PeerAnswer } from '../peer.js'
import type { PairFile } from '../workers/verify.js'

interface Weights {
  readonly backbone: string
  readonly color: 'rgb' | 'bgr'
  /** What stands in the table. */
  readonly description: string
}

/** The checkpoint that the options name, else random weights, as `facex convert --bare` writes them for PyTorch. */
async function writeWeights({ weights }: BenchOptions, folder: string, output: string): Promise<Weights> {
  if (weights !== undefined) {
    const { meta } = await readCheckpointMeta(weights)
    await convertWeights(weights, output, { bare: true })
    return { backbone: meta.backbone.name, color: meta.preprocessing.color, description: `${meta.backbone.name} of ${path.basename(weights)}` }
  }
  const backbone = 'MobileFaceNet'
  const first = path.join(folder, 'first.safetensors')
  await writeFirstWeights(backbone, first)
  await convertWeights(first, output, { bare: true })
  return { backbone, color: 'bgr', description: `${backbone} with random weights` }
}

/** The pairs that the options name, else drawn ones. */
async function openSet({ pairs, quick }: BenchOptions, folder: string): Promise<PairSet> {
  if (pairs !== undefined) return openPairSet(pairs)
  const root = path.join(folder, 'faces')
  process.stderr.write('drawing faces\n')
  await writeSynthetic({ root, identities: 1, images: 8, held_out: quick ? 12 : 100, seed: 0 })
  return openPairSet({ root, pairs: path.join(root, 'pairs.txt') })
}

export async function benchEvaluate(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const { threads, rounds } = options
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
  const peers = [await Peer.node('./workers/verify.js'), await Peer.python('verify.py')]
  try {
    const [file, set] = [path.join(folder, 'weights.pt'), path.join(folder, 'pairs.json')]
    const { backbone, color, description } = await writeWeights(options, folder, file)
    const { files, list } = await openSet(options, folder)
    const content: PairFile = { files, first: [...list.first], second: [...list.second], genuine: [...list.genuine], folds: list.folds ?? 10 }
    writeFileSync(set, JSON.stringify(content))
    const batch = options.batchSizes(backbone)[0]!
    const seconds: [number[], number[]] = [[], []]
    const last: PeerAnswer[] = []
    for (const peer of peers) await peer.ask({ cmd: 'start', backbone, weights: file, color, batch, threads, set })
    for (let round = 0; round < rounds; round++) {
      for (const [side, peer] of peers.entries()) {
        process.stderr.write(`evaluate: round ${round + 1} of ${rounds}, ${side === 0 ? 'facex' : 'PyTorch'}\n`)
        last[side] = await peer.ask({ cmd: 'verify' })
        seconds[side]!.push(last[side].seconds)
      }
    }
    print(`${description}: ${files.length.toLocaleString('en')} images, ${list.first.length.toLocaleString('en')} pairs, FaceX-Zoo's rule, batches of ${batch}.\n`)
    print('| | seconds | images/s | to PyTorch | accuracy | peak GB |')
    print('|---|---|---|---|---|---|')
    const ratio = spread(seconds[0].map((own, round) => seconds[1][round]! / own))
    print(row('PyTorch eager, cv2', files.length, seconds[1], '1', last[1]!))
    print(row('facex', files.length, seconds[0], ratio, last[0]!))
    print(`\nLargest difference between the cosines of a pair: ${largestDifference(last[0]!, last[1]!).toExponential(1)}`)
  } finally {
    for (const peer of peers) peer.close()
    rmSync(folder, { recursive: true })
  }
}

function row(name: string, images: number, seconds: readonly number[], ratio: string, { accuracy, std, peak_bytes: peak }: PeerAnswer): string {
  const percent = (share: unknown) => `${(100 * Number(share)).toFixed(3)}%`
  const cells = [name, median(seconds).toFixed(2), (images / median(seconds)).toFixed(1), ratio, `${percent(accuracy)} \u00b1 ${percent(std)}`, (peak / 1e9).toFixed(2)]
  return `| ${cells.join(' | ')} |`
}

function largestDifference(one: PeerAnswer, two: PeerAnswer): number {
  const [a, b] = [one['scores'] as number[], two['scores'] as number[]]
  return a.reduce((most, score, pair) => Math.max(most, Math.abs(score - b[pair]!)), 0)
}
