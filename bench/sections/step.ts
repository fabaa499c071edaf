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

interface Setting {
  readonly backbone: string
  readonly precision: Precision
  readonly batch: number
  readonly classes: number
  /** Partial FC of facex; the other side computes all classes. */
  readonly sampleRate?: number
  /** CUDA graphs of facex. */
  readonly cudaGraphs?: boolean
}

/** A form of the network that facex is measured against. */
interface Opponent {
  readonly name: string
  readonly script: string
  readonly options: Readonly<Record<string, unknown>>
  readonly trains: boolean
}

const eager: Opponent = { name: 'eager fp32, as usually written', script: 'step.py', options: {}, trains: true }
const last = (name: string, options: Record<string, unknown>): Opponent => ({ name, script: 'step.py', options: { layout: 'channels_last', ...options }, trains: true })
const channelsLast = (precision: Precision) => last(`eager ${precision}, channels-last`, { precision })
const compiled = (precision: Precision) => last(`torch.compile ${precision}, channels-last`, { precision, compile: true })
const onnx: Opponent = { name: 'onnxruntime fp32', script: 'onnx.py', options: {}, trains: false }

/** On a GPU torch.compile comes in a section of its own, for what is left of the time. */
function opponents(precision: Precision, { compile, device }: BenchOptions): Opponent[] {
  if (device === 'cuda') return [channelsLast(precision)]
  return [eager, channelsLast(precision), ...(compile ? [compiled(precision)] : []), ...(precision === 'fp32' ? [onnx] : [])]
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

type Pair = readonly [setting: Setting, opponent: Opponent | undefined]

export async function benchStep(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const pairs: Pair[] = []
  for (const backbone of options.backbones) {
    for (const batch of options.batchSizes(backbone)) {
      for (const precision of options.precisions) {
        const setting = { backbone, precision, batch, classes: 1000 }
        for (const opponent of opponents(precision, options)) pairs.push([setting, opponent])
        if (options.device === 'cuda' && backbone === 'MobileFaceNet') pairs.push([{ ...setting, cudaGraphs: true }, channelsLast(precision)])
      }
    }
  }
  await table(options, print, pairs)
}

/** torch.compile takes a minute or more a network. */
export async function benchCompile(options: BenchOptions, print: (line: string) => void): Promise<void> {
  if (!options.compile) return
  await table(options, print, options.backbones.map((backbone): Pair => [{ backbone, precision: 'bf16', batch: options.batchSizes(backbone)[0]!, classes: 1000 }, compiled('bf16')]))
}

/** With as many identities as MS-Celeb-1M-v1c has, the head's share is the larger one. A GPU holds more, with Partial FC many more. */
export async function benchClasses(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const batch = options.batchSizes('MobileFaceNet')[0]!
  const setting = (classes: number, sampleRate?: number): Setting => ({ backbone: 'MobileFaceNet', precision: 'fp32', batch, classes, ...(sampleRate === undefined ? {} : { sampleRate }) })
  if (options.quick) return table(options, print, [[setting(2000), eager]])
  if (options.device === 'cpu') return table(options, print, [[setting(72_778), eager]])
  await table(options, print, [
    [setting(72_778), eager],
    [setting(72_778, 0.1), undefined],
    [setting(1_000_000), eager],
    [setting(1_000_000, 0.1), undefined],
    [setting(5_000_000, 0.1), undefined],
    [setting(5_000_000), undefined],
  ])
}

async function table(options: BenchOptions, print: (line: string) => void, pairs: readonly Pair[]): Promise<void> {
  for (const line of HEAD) print(line)
  const left: string[] = []
  for (const [setting, opponent] of pairs) {
    const name = `${nameOf(setting)}${opponent === undefined ? '' : ` against ${opponent.name}`}`
    if (performance.now() > options.end) {
      left.push(name)
      continue
    }
    process.stderr.write(`${name}\n`)
    try {
      print(await measure(options, setting, opponent))
    } catch (error) {
      // One side may not fit a GPU; the other rows still say something.
      if (options.device === 'cpu') throw error
      print(`| ${nameOf(setting)} | ${opponent?.name ?? ''} | ${(error as Error).message.split('\n')[0]} |${' |'.repeat(8)}`)
    }
  }
  if (left.length > 0) print(`\nNo time was left for: ${left.join('; ')}. --minutes allows more.`)
}

function nameOf({ backbone, precision, batch, classes, sampleRate, cudaGraphs }: Setting): string {
  const more = [...(sampleRate === undefined ? [] : [`Partial FC ${sampleRate}`]), ...(cudaGraphs ? ['CUDA graphs'] : [])]
  return [`${backbone} ${precision}`, `batch ${batch}`, `${classes.toLocaleString('en')} identities`, ...more].join(', ')
}

async function measure(options: BenchOptions, setting: Setting, opponent: Opponent | undefined): Promise<string> {
  const { threads, rounds, device } = options
  const { backbone, batch, classes } = setting
  const file = opponent?.trains === false ? writeNetwork(backbone) : undefined
  const sides = [
    { peer: await Peer.node('./workers/step.js'), own: { ...setting } as Record<string, unknown> },
    ...(opponent === undefined ? [] : [{ peer: await Peer.python(opponent.script), own: { ...opponent.options, file } }]),
  ]
  const rates: Rates[] = sides.map(() => ({ training: [], extraction: [], peak: 0 }))
  try {
    for (const { peer, own } of sides) {
      await peer.ask({ cmd: 'start', backbone, batch, classes, threads, device, ...own })
      await peer.ask({ cmd: 'extract', batches: 1 })
    }
    const trains = opponent?.trains ?? true
    const steps = options.timedTurns && trains ? await stepsOfTurn(sides.map(({ peer }) => peer)) : options.steps
    for (let round = 0; round < rounds; round++) {
      for (const [side, { peer }] of sides.entries()) {
        if (trains) rates[side]!.training.push((batch * steps) / (await peer.ask({ cmd: 'run', steps })).seconds)
        const { seconds, peak_bytes } = await peer.ask({ cmd: 'extract', batches: steps })
        rates[side]!.extraction.push((batch * steps) / seconds)
        rates[side]!.peak = peak_bytes
      }
    }
  } finally {
    for (const { peer } of sides) peer.close()
    if (file !== undefined) rmSync(path.dirname(file), { recursive: true })
  }
  return row(nameOf(setting), opponent?.name ?? '', rates)
}

/** After steps that choose algorithms and record graphs: as many as last half a second on the faster side. */
async function stepsOfTurn(peers: readonly Peer[]): Promise<number> {
  const warm = 5
  const seconds: number[] = []
  for (const peer of peers) {
    await peer.ask({ cmd: 'run', steps: warm })
    seconds.push((await peer.ask({ cmd: 'run', steps: warm })).seconds / warm)
  }
  return Math.min(200, Math.max(2, Math.round(0.5 / Math.min(...seconds))))
}

function row(name: string, against: string, [own, other]: readonly Rates[]): string {
  const compare = (a: readonly number[], b: readonly number[] | undefined) =>
    a.length === 0 ? ['', '', ''] : [median(a).toFixed(1), ...(b === undefined ? ['', ''] : [median(b).toFixed(1), spread(a.map((rate, round) => rate / b[round]!))])]
  // What a process that never trained holds says nothing beside one that did.
  const memory = own!.training.length === 0 ? ['', '', ''] : [(own!.peak / 1e9).toFixed(2), ...(other === undefined ? ['', ''] : [(other.peak / 1e9).toFixed(2), (other.peak / own!.peak).toFixed(2)])]
  return `| ${[name, against, ...compare(own!.training, other?.training), ...compare(own!.extraction, other?.extraction), ...memory].join(' | ')} |`
}
