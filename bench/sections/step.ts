/**
 * Training step, extraction and peak memory of whole networks. facex takes turns with one form of PyTorch at a time, so
 * that only two networks are in memory; the inputs are the same noise in every form.
 * @module
 */
import { rmSync } from 'node:fs'
import path from 'node:path'

import { writeNetwork } from '../network-file.js'
import type { BenchOptions } from '../options.js'
import { median, Peer, spread } from '../peer.js'

type Precision = 'fp32' | 'bf16'

/** A form of the network that facex is measured against. */
interface Opponent {
  readonly name: string
  readonly script: string
  readonly options: Readonly<Record<string, unknown>>
  readonly trains: boolean
}

const eager: Opponent = { name: 'eager fp32, as usually written', script: 'step.py', options: {}, trains: true }
const last = (name: string, options: Record<string, unknown>): Opponent => ({ name, script: 'step.py', options: { layout: 'channels_last', ...options }, trains: true })
const onnx: Opponent = { name: 'onnxruntime fp32', script: 'onnx.py', options: {}, trains: false }

function opponents(precision: Precision, { compile, device }: BenchOptions): Opponent[] {
  if (precision === 'fp32') {
    return [eager, last('eager fp32, channels-last', {}), ...(compile ? [last('torch.compile fp32, channels-last', { compile: true })] : []), ...(device === 'cpu' ? [onnx] : [])]
  }
  const bf16 = { precision: 'bf16' }
  return [eager, last('eager bf16, channels-last', bf16), ...(compile ? [last('torch.compile bf16, channels-last', { ...bf16, compile: true })] : [])]
}

interface Rates {
  readonly training: number[]
  readonly extraction: number[]
  peak: number
}

const HEAD = [
  '| facex | against | training images/s | theirs | ratio | extraction images/s | theirs | ratio | peak GB | theirs | ratio |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
]

export async function benchStep(options: BenchOptions, print: (line: string) => void): Promise<void> {
  for (const line of HEAD) print(line)
  for (const backbone of options.backbones) {
    for (const precision of options.precisions) {
      for (const opponent of opponents(precision, options)) print(await pair(options, backbone, 1000, precision, opponent))
    }
  }
}

/** With as many identities as MS-Celeb-1M-v1c has, the head's share is the larger one. */
export async function benchClasses(options: BenchOptions, print: (line: string) => void): Promise<void> {
  for (const line of HEAD) print(line)
  const sizes = options.quick ? [2000] : options.device === 'cuda' ? [72_778, 1_000_000] : [72_778]
  for (const classes of sizes) print(await pair(options, 'MobileFaceNet', classes, 'fp32', eager))
}

async function pair(options: BenchOptions, backbone: string, classes: number, precision: Precision, opponent: Opponent): Promise<string> {
  const { threads, rounds, steps, device } = options
  const batch = options.batchSize(backbone)
  process.stderr.write(`${backbone} ${precision} against ${opponent.name}\n`)
  const file = opponent.trains ? undefined : writeNetwork(backbone)
  const sides = [
    { peer: await Peer.node('./workers/step.js'), setting: { precision } as Record<string, unknown> },
    { peer: await Peer.python(opponent.script), setting: { ...opponent.options, file } },
  ]
  const rates: Rates[] = sides.map(() => ({ training: [], extraction: [], peak: 0 }))
  try {
    for (const { peer, setting } of sides) {
      await peer.ask({ cmd: 'start', backbone, batch, classes, threads, device, ...setting })
      await peer.ask({ cmd: 'extract', batches: 1 })
    }
    for (let round = 0; round < rounds; round++) {
      for (const [side, { peer }] of sides.entries()) {
        if (opponent.trains) rates[side]!.training.push((batch * steps) / (await peer.ask({ cmd: 'run', steps })).seconds)
        const { seconds, peak_bytes } = await peer.ask({ cmd: 'extract', batches: steps })
        rates[side]!.extraction.push((batch * steps) / seconds)
        rates[side]!.peak = peak_bytes
      }
    }
  } finally {
    for (const { peer } of sides) peer.close()
    if (file !== undefined) rmSync(path.dirname(file), { recursive: true })
  }
  return row(`${backbone} ${precision}, batch ${batch}, ${classes} identities`, opponent.name, rates as [Rates, Rates], device)
}

function row(name: string, against: string, [own, other]: readonly [Rates, Rates], device: string): string {
  const compare = (a: readonly number[], b: readonly number[]) =>
    a.length === 0 ? ['', '', ''] : [median(a).toFixed(1), median(b).toFixed(1), spread(a.map((rate, round) => rate / b[round]!))]
  // What a process that never trained holds says nothing beside one that did, nor does the CPU's memory of a run on a GPU.
  const memory = own.training.length === 0 || device !== 'cpu' ? ['', '', ''] : [(own.peak / 1e9).toFixed(2), (other.peak / 1e9).toFixed(2), (other.peak / own.peak).toFixed(2)]
  return `| ${[name, against, ...compare(own.training, other.training), ...compare(own.extraction, other.extraction), ...memory].join(' | ')} |`
}
