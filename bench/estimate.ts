/**
 * How well `facex estimate` predicts: five runs of different kinds train for five steps with checkpoints in between, each
 * in a process of its own, and the largest resident size of that process stands beside the prediction.
 *
 *     node dist/bench/estimate.js [--only 1,3] [--json]
 *
 * The figures do not depend on how busy the machine is.
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

import sharp from 'sharp'

import { resolveRun } from '../lib/config/resolve.js'
import type { RunConfigInput } from '../lib/config/run.js'
import { estimateRun } from '../lib/training/estimate.js'

type Case = Pick<RunConfigInput, 'backbone' | 'head' | 'batch_size' | 'precision' | 'optimizer'> & { readonly classes: number }

const CASES: readonly Case[] = [
  { backbone: { type: 'MobileFaceNet' }, head: { type: 'ArcFace' }, classes: 1000, batch_size: 64, precision: 'fp32' },
  { backbone: { type: 'ResNet' }, head: { type: 'AM-Softmax' }, classes: 10_000, batch_size: 16, precision: 'fp32' },
  { backbone: { type: 'MobileFaceNet' }, head: { type: 'CurricularFace' }, classes: 72_778, batch_size: 32, precision: 'bf16' },
  { backbone: { type: 'GhostNet' }, head: { type: 'MagFace', sample_rate: 0.1 }, classes: 300_000, batch_size: 32, precision: 'fp32' },
  { backbone: { type: 'EfficientNet' }, head: { type: 'SubCenterArcFace' }, classes: 5000, batch_size: 24, precision: 'fp32', optimizer: { name: 'adamw' } },
]

const CHILD = fileURLToPath(new URL('workers/run-peak.js', import.meta.url))

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
  const { before, steps, peak } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { before: number; steps: number; peak: number }
  return { predicted: memory.peak, measured: peak, before, steps, error: memory.peak / peak - 1, memory }
}

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: '1,2,3,4,5' }, json: { type: 'boolean', default: false } } })
const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20)
if (!flags.json) console.log('| run | predicted MiB | measured MiB | error |\n|---|---|---|---|')
for (const number of flags.only.split(',').map(Number)) {
  const given = CASES[number - 1]!
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-estimate-'))
  try {
    const result = await measure(given, folder)
    const { backbone, head, classes, batch_size, precision } = given
    const name = `${backbone.type}, ${head.type}${head['sample_rate'] === undefined ? '' : ` ${head['sample_rate']}`}, ${classes} classes, batch ${batch_size}, ${precision}`
    if (flags.json) console.log(JSON.stringify({ run: name, ...result }))
    else console.log(`| ${name} | ${mebibytes(result.predicted)} | ${mebibytes(result.measured)} | ${(100 * result.error).toFixed(1)}% |`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
