/**
 * How well `facex estimate` predicts: six runs of different kinds train for five steps with checkpoints in between, each
 * in a process of its own, and the largest resident size of that process stands beside the prediction.
 *
 * Where a step takes longer than writing a checkpoint, the copy that is written is gone before the step is at its height;
 * else both come together. So the prediction is a range. Its upper end, what a machine must have, is held against the
 * measurement.
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import sharp from 'sharp'

import { resolveRun } from '../../lib/config/resolve.js'
import type { RunConfigInput } from '../../lib/config/run.js'
import { estimateRun } from '../../lib/training/estimate.js'
import type { BenchOptions } from '../options.js'

type Case = Pick<RunConfigInput, 'backbone' | 'head' | 'batch_size' | 'precision' | 'recompute' | 'optimizer'> & { readonly classes: number }

const CASES: readonly Case[] = [
  { backbone: { type: 'MobileFaceNet' }, head: { type: 'ArcFace' }, classes: 1000, batch_size: 64, precision: 'fp32' },
  { backbone: { type: 'ResNet' }, head: { type: 'AM-Softmax' }, classes: 10_000, batch_size: 16, precision: 'fp32' },
  { backbone: { type: 'MobileFaceNet' }, head: { type: 'CurricularFace' }, classes: 72_778, batch_size: 32, precision: 'bf16' },
  { backbone: { type: 'GhostNet' }, head: { type: 'MagFace', sample_rate: 0.1 }, classes: 300_000, batch_size: 32, precision: 'fp32' },
  { backbone: { type: 'EfficientNet' }, head: { type: 'SubCenterArcFace' }, classes: 5000, batch_size: 24, precision: 'fp32', optimizer: { name: 'adamw' } },
  { backbone: { type: 'ResNet' }, head: { type: 'ArcFace' }, classes: 1000, batch_size: 64, precision: 'fp32', recompute: true },
]

const CHILD = fileURLToPath(new URL('../workers/run-peak.js', import.meta.url))

/** A few images under many labels: what matters here is their number, not what they show. */
async function writeFaces(folder: string, classes: number): Promise<string> {
  mkdirSync(folder, { recursive: true })
  for (let i = 0; i < 8; i++) {
    const pixels = Uint8Array.from({ length: 112 * 112 * 3 }, (_, at) => (at * (i + 3)) % 251)
    await sharp(pixels, { raw: { width: 112, height: 112, channels: 3 } }).jpeg().toFile(path.join(folder, `${i}.jpg`))
  }
  const list = path.join(folder, 'train.txt')
  writeFileSync(list, Array.from({ length: classes }, (_, label) => `${label % 8}.jpg ${label}\n`).join(''))
  return list
}

async function measure({ classes, ...run }: Case, folder: string) {
  const list = await writeFaces(path.join(folder, 'faces'), classes)
  const config: RunConfigInput = {
    ...run,
    data: { train: [{ kind: 'list', root: path.dirname(list), list }] },
    epochs: 1,
    checkpoint: { every_steps: 2 },
    out_dir: path.join(folder, 'run'),
    device: 'cpu',
    threads: 2,
    log: { every: 1, tensorboard: false },
  }
  const { memory } = await estimateRun(resolveRun({ config }), 'cpu')
  const file = path.join(folder, 'run.json')
  writeFileSync(file, JSON.stringify(config))
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, file], { maxBuffer: 2 ** 24 })
  const { peak } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { peak: number }
  return { least: memory.steady, most: memory.peak, measured: peak }
}

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20)

function title({ backbone, head, classes, batch_size, precision, recompute, optimizer }: Case): string {
  const rate = head['sample_rate'] === undefined ? '' : `, Partial FC ${Number(head['sample_rate'])}`
  return `${backbone.type}, ${head.type}${rate}, ${classes.toLocaleString('en')} identities, batch ${batch_size}, ${precision}, ${optimizer?.name ?? 'sgd'}${recompute === true ? ', recomputed' : ''}`
}

export async function benchEstimate({ quick }: BenchOptions, print: (line: string) => void): Promise<void> {
  print('| run | predicted MiB | measured MiB | upper end against measured |')
  print('|---|---|---|---|')
  for (const given of quick ? CASES.slice(0, 1) : CASES) {
    process.stderr.write(`${title(given)}\n`)
    const folder = mkdtempSync(path.join(tmpdir(), 'facex-estimate-'))
    try {
      const { least, most, measured } = await measure(given, folder)
      print(`| ${title(given)} | ${mebibytes(least)} to ${mebibytes(most)} | ${mebibytes(measured)} | ${(100 * (most / measured - 1)).toFixed(1)}% |`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}
