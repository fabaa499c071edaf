/**
 * Throughput of decode + flip + batch: facex against PyTorch's DataLoader with cv2, and against the limit, a bare decode
 * loop over files in memory. They take turns in every round, so that a busy machine slows all of them.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { resolveAugmentations } from '../../lib/data/augment.js'
import { openDataset, type Dataset } from '../../lib/data/dataset.js'
import { Random } from '../../lib/data/random.js'
import { writeSynthetic } from '../../lib/data/synthetic/source.js'
import { packDataset } from '../../lib/data/tools/pack.js'
import { addon, type NativeSource } from '../../lib/native.js'
import type { BenchOptions } from '../options.js'
import { median, Peer, spread } from '../peer.js'

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

/** The images that the options name, else faces drawn into `folder`. */
async function openImages({ images, quick }: BenchOptions, folder: string): Promise<{ root: string; list: string }> {
  if (images !== undefined) return images
  const root = path.join(folder, 'faces')
  process.stderr.write('drawing faces\n')
  await writeSynthetic({ root, identities: quick ? 16 : 400, images: 10, held_out: 2, seed: 0 })
  return { root, list: path.join(root, 'train.txt') }
}

export async function benchLoader(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
  const python = await Peer.python('loader.py')
  try {
    const { root, list } = await openImages(options, folder)
    const all = await openDataset([{ kind: 'list', root, list }])
    const count = Math.min(8000, all.size)
    const dataset = head(all, count)
    packDataset(dataset, path.join(folder, 'train.rec'))
    const packed = await openDataset([{ kind: 'record', file: path.join(folder, 'train.rec') }])
    const rates: Record<string, number[]> = {}
    const note = (name: string, rate: number) => (rates[name] ??= []).push(rate)
    const ask = async (request: Record<string, unknown>) => {
      const answer = await python.ask({ root, list, count, batch: BATCH, ...request })
      return (answer['images'] as number) / answer.seconds
    }
    const width = options.threads
    for (let round = 0; round < Math.min(3, options.rounds); round++) {
      note('bare decode, 1 thread', await ask({ cmd: 'decode' }))
      for (const threads of width === 1 ? [1] : [1, width]) {
        note(`DataLoader with cv2, ${threads} workers`, await ask({ cmd: 'load', threads }))
        note(`facex list, ${threads} threads`, await facex(dataset.source, count, threads, round))
        note(`facex .rec, ${threads} threads`, await facex(packed.source, count, threads, round))
      }
    }
    print(`${count} images of 112 x 112, JPEG, decoded and flipped into batches of ${BATCH}.\n`)
    print('| loader | images/s | to DataLoader of as many workers |')
    print('|---|---|---|')
    for (const [name, measured] of Object.entries(rates)) {
      const threads = /, (\d+) threads/.exec(name)?.[1]
      const other = name.startsWith('facex') ? rates[`DataLoader with cv2, ${threads} workers`] : undefined
      print(`| ${name} | ${median(measured).toFixed(0)} | ${other === undefined ? '' : spread(measured.map((rate, round) => rate / other[round]!))} |`)
    }
  } finally {
    python.close()
    rmSync(folder, { recursive: true })
  }
}
