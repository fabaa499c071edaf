/**
 * Throughput of decode + flip + batch: facex against PyTorch's DataLoader with cv2, and against the limit, a bare decode
 * loop over files in memory. The three take turns in every round, so that a busy machine slows all of them.
 *
 *     FACEX_PYTHON=python node dist/bench/data/loader.js ROOT LIST [--count 8000] [--rounds 3]
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { resolveAugmentations } from '../../lib/data/augment.js'
import { openDataset, type Dataset } from '../../lib/data/dataset.js'
import { Random } from '../../lib/data/random.js'
import { packDataset } from '../../lib/data/tools/pack.js'
import { addon, type NativeSource } from '../../lib/native.js'
import { Peer } from '../peer.js'

const BATCH = 64

/** Images a second of one pass over `count` images. */
async function facex(source: NativeSource, count: number, threads: number, round: number): Promise<number> {
  const loader = new (addon().Loader)({
    source,
    height: 112,
    width: 112,
    color: 'bgr',
    batchSize: BATCH,
    views: 1,
    threads,
    prefetch: 4,
    seed: 0,
    augmentations: resolveAugmentations('flip'),
    onBadImage: 'fail',
  })
  const order = new Random(round).shuffle(Uint32Array.from({ length: count }, (_, i) => i))
  const start = performance.now()
  loader.begin(order, round, 0)
  let images = 0
  for (let batch = await loader.next(); batch !== undefined; batch = await loader.next()) images += BATCH
  const seconds = (performance.now() - start) / 1000
  loader.dispose()
  return images / seconds
}

/** The first `count` samples of a list. */
function head(dataset: Dataset, count: number): Dataset {
  if (dataset.source.kind !== 'files') throw new Error('the benchmark reads a list')
  const labels = dataset.labels.slice(0, count)
  return { ...dataset, size: count, labels, source: { ...dataset.source, labels, paths: firstLines(dataset.source.paths, count) } }
}

function firstLines(text: Uint8Array, count: number): Uint8Array {
  let end = 0
  for (let line = 0; line < count; line++) end = text.indexOf(10, end) + 1
  return text.slice(0, end)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '8000' }, rounds: { type: 'string', default: '3' } },
})
const [root, list] = positionals
if (root === undefined || list === undefined) throw new Error('usage: loader.js ROOT LIST')
const all = await openDataset([{ kind: 'list', root, list }])
const count = Math.min(Number(values.count), all.size)
const dataset = head(all, count)
const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
const python = await Peer.python('loader.py')
try {
  packDataset(dataset, path.join(folder, 'train.rec'))
  const packed = await openDataset([{ kind: 'record', file: path.join(folder, 'train.rec') }])
  const rates: Record<string, number[]> = {}
  const note = (name: string, rate: number) => (rates[name] ??= []).push(rate)
  const ask = async (request: Record<string, unknown>) => {
    const answer = await python.ask({ root, list, count, batch: BATCH, ...request })
    return (answer['images'] as number) / answer.seconds
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    note('bare decode, 1 thread', await ask({ cmd: 'decode' }))
    for (const threads of [1, 2]) {
      note(`facex list, ${threads}`, await facex(dataset.source, count, threads, round))
      note(`facex .rec, ${threads}`, await facex(packed.source, count, threads, round))
      note(`DataLoader, ${threads}`, await ask({ cmd: 'load', threads }))
    }
  }
  for (const [name, measured] of Object.entries(rates)) {
    process.stdout.write(`${name.padEnd(24)} ${median(measured).toFixed(0).padStart(7)} images/s  (${measured.map((rate) => rate.toFixed(0)).join(', ')})\n`)
  }
} finally {
  python.close()
  rmSync(folder, { recursive: true })
}
