/**
 * Throughput of decode + flip + batch: facex from class folders, a list and a record file, against PyTorch's DataLoader
 * with cv2, and against the limit, libjpeg alone over files in memory. They take turns in every round, so that a busy
 * machine slows all of them; processor time an image says more than the clock there.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { resolveAugmentations } from '../../lib/data/augment.js'
import { openDataset, type Dataset } from '../../lib/data/dataset.js'
import { Random } from '../../lib/data/random.js'
import { range } from '../../lib/data/samplers/classes.js'
import { writeSynthetic } from '../../lib/data/synthetic/source.js'
import { pathsOf } from '../../lib/data/tools/encoded.js'
import { packDataset, unpackDataset } from '../../lib/data/tools/pack.js'
import { addon } from '../../lib/native.js'
import type { BenchOptions } from '../options.js'
import { median, Peer, spread } from '../peer.js'

const BATCH = 64
const MOST_IMAGES = 8000

/** What one pass over the images took. */
interface Pass {
  readonly images: number
  readonly seconds: number
  readonly cpuSeconds: number
}

type Contender = (threads: number, round: number) => Promise<Pass>

export async function benchLoader(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
  const python = await Peer.python('loader.py')
  try {
    const { root, list } = await openImages(options, folder)
    const dataset = head(await openDataset([{ kind: 'list', root, list }]), options.quick ? 640 : MOST_IMAGES)
    await packDataset(dataset, path.join(folder, 'train.rec'))
    await unpackDataset(dataset, path.join(folder, 'classes'))
    const contenders: readonly (readonly [name: string, run: Contender])[] = [
      ['libjpeg alone', await bareDecode(dataset, folder)],
      ['DataLoader with cv2', dataLoader(python, { root, list, count: dataset.size })],
      ['facex, class folders', facex(await openDataset([{ kind: 'folder', root: path.join(folder, 'classes') }]))],
      ['facex, list', facex(dataset)],
      ['facex, .rec', facex(await openDataset([{ kind: 'record', file: path.join(folder, 'train.rec') }]))],
    ]
    print(`${dataset.size} JPEG images of 112 x 112, decoded, flipped and put into batches of ${BATCH}.\n`)
    print('| threads | loader | images/s | CPU µs an image | times DataLoader | share of libjpeg alone |')
    print('|---|---|---|---|---|---|')
    for (const threads of options.threads === 1 ? [1] : [1, options.threads]) {
      const rounds: Pass[][] = []
      for (let round = 0; round < options.rounds; round++) {
        const passes: Pass[] = []
        for (const [, run] of contenders) passes.push(await run(threads, round))
        rounds.push(passes)
      }
      contenders.forEach(([name], i) => print(row(threads, name, rounds.map((passes) => ({ pass: passes[i]!, bare: passes[0]!, loader: passes[1]! })))))
    }
  } finally {
    python.close()
    rmSync(folder, { recursive: true })
  }
}

function row(threads: number, name: string, rounds: readonly { pass: Pass; bare: Pass; loader: Pass }[]): string {
  const rate = ({ images, seconds }: Pass) => images / seconds
  const columns = [
    median(rounds.map(({ pass }) => rate(pass))).toFixed(0),
    median(rounds.map(({ pass }) => (1e6 * pass.cpuSeconds) / pass.images)).toFixed(0),
    spread(rounds.map(({ pass, loader }) => rate(pass) / rate(loader))),
    spread(rounds.map(({ pass, bare }) => rate(pass) / rate(bare))),
  ]
  return `| ${threads} | ${name} | ${columns.join(' | ')} |`
}

/** The images that the options name, else faces drawn into `folder`. */
export async function openImages({ images, quick }: BenchOptions, folder: string): Promise<{ root: string; list: string }> {
  if (images !== undefined) return images
  const root = path.join(folder, 'faces')
  process.stderr.write('drawing faces\n')
  await writeSynthetic({ root, identities: quick ? 64 : 400, images: 10, held_out: 2, seed: 0 })
  return { root, list: path.join(root, 'train.txt') }
}

/** The first samples of a list, in whole batches. */
function head(dataset: Dataset, most: number): Dataset {
  if (dataset.source.kind !== 'files') throw new Error('the benchmark reads a list')
  const size = Math.floor(Math.min(most, dataset.size) / BATCH) * BATCH
  const labels = dataset.labels.slice(0, size)
  let end = 0
  for (let line = 0; line < size; line++) end = dataset.source.paths.indexOf(10, end) + 1
  const classCount = labels.reduce((most, label) => Math.max(most, label), -1) + 1
  return { ...dataset, size, labels, classCount, source: { ...dataset.source, labels, paths: dataset.source.paths.slice(0, end) } }
}

/** Compiles bench/peers/bare_decode.c against the libjpeg that the addon is built with. */
async function bareDecode(dataset: Dataset, folder: string): Promise<Contender> {
  if (dataset.source.kind !== 'files') throw new Error('the benchmark reads a list')
  const program = path.join(folder, 'bare_decode')
  execFileSync(process.env['CC'] ?? 'cc', ['-O2', '-pthread', '-o', program, fileURLToPath(new URL('../../../bench/peers/bare_decode.c', import.meta.url)), '-ljpeg'])
  const { root } = dataset.source
  const input = [...pathsOf(dataset.source.paths)].map((name) => `${path.resolve(root, name)}\n`).join('')
  return async (threads) => {
    const answer = JSON.parse(execFileSync(program, [String(threads)], { input, encoding: 'utf8' })) as { images: number; seconds: number; cpu_seconds: number }
    return { ...answer, cpuSeconds: answer.cpu_seconds }
  }
}

function dataLoader(python: Peer, { root, list, count }: { root: string; list: string; count: number }): Contender {
  return async (workers) => {
    const answer = await python.ask({ root, list, count, batch: BATCH, workers })
    return { images: answer['images'] as number, seconds: answer.seconds, cpuSeconds: answer['cpu_seconds'] as number }
  }
}

function facex({ source, size }: Dataset): Contender {
  return async (threads, round) => {
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
    const order = new Random(round).shuffle(range(size))
    const cpu = process.cpuUsage()
    const start = performance.now()
    loader.begin(order, round, 0)
    const images = await loader.drain()
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpu)
    loader.dispose()
    return { images, seconds, cpuSeconds: (user + system) / 1e6 }
  }
}
