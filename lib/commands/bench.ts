/**
 * `facex bench`: speed and memory of training steps on this machine.
 * @module
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

import { readConf } from '../backbones/conf.js'
import { FacexError, messageOf, unknownName } from '../errors.js'
import { packageRoot } from '../setup/places.js'
import { StepBenchmark } from '../training/benchmark.js'
import { parseOptions, wholeNumber } from './options.js'

export const usage = `Usage: facex bench --backbone NAME [OPTIONS]
       facex bench backbones [OPTIONS]

Trains a few steps on one batch from memory and prints images/s, peak memory of the process, and the times until the
graph stands and until the first batch is trained. The median of the steps counts; the machine should be idle.
\`bench backbones\` does so for every entry of backbone_conf.yaml, each in a process of its own.

--backbone NAME   an entry of backbone_conf.yaml
--batch_size N    images of a step, 16 by default
--classes K       identities of the ArcFace head, 1000 by default
--steps N         steps after the first, 3 by default
--precision P     fp32, bf16 or fp16; fp32 by default
--threads N       threads of tensor operations, all cores by default
--profile         time of a step by op, and its slowest nodes
--json            for machines
`

const OPTIONS = {
  backbone: { type: 'string' },
  batch_size: { type: 'string' },
  classes: { type: 'string' },
  json: { type: 'boolean' },
  precision: { type: 'string' },
  profile: { type: 'boolean' },
  steps: { type: 'string' },
  threads: { type: 'string' },
} as const

/** What is measured of one backbone. */
interface Measured {
  readonly backbone: string
  readonly batch_size: number
  readonly precision: string
  readonly images_per_second: number
  readonly peak_bytes: number
  readonly graph_ms: number
  readonly first_step_ms: number
}

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, OPTIONS, ['backbones'])
  if (positionals[0] === 'backbones') {
    if (values.backbone !== undefined || values.profile) throw new FacexError('ERR_USAGE', `bench backbones takes neither --backbone nor --profile\n\n${usage}`)
    return benchAll(argv.filter((argument) => argument !== 'backbones' && argument !== '--json'), values.json === true)
  }
  if (positionals[0] !== undefined || values.backbone === undefined) throw new FacexError('ERR_USAGE', `expected --backbone NAME, or "backbones"\n\n${usage}`)
  const entry = readConf().find(({ name }) => name === values.backbone)
  if (entry === undefined) throw new FacexError('ERR_CONFIG', unknownName('backbone', values.backbone, readConf().map(({ name }) => name)))
  const precision = values.precision ?? 'fp32'
  if (precision !== 'fp32' && precision !== 'bf16' && precision !== 'fp16') throw new FacexError('ERR_USAGE', unknownName('precision', precision, ['fp32', 'bf16', 'fp16']))

  const begin = performance.now()
  const benchmark = new StepBenchmark({
    backbone: entry,
    batchSize: wholeNumber('batch_size', values.batch_size) ?? 16,
    classes: wholeNumber('classes', values.classes),
    precision,
    threads: wholeNumber('threads', values.threads) ?? availableParallelism(),
  })
  if (values.profile) {
    process.stdout.write(values.json ? `${JSON.stringify(benchmark.profile(), null, 2)}\n` : profileText(benchmark))
    return 0
  }
  await benchmark.train(1)
  const firstStep = performance.now() - begin
  const rates: number[] = []
  for (let step = 0; step < (wholeNumber('steps', values.steps) ?? 3); step++) rates.push(benchmark.batchSize / (await benchmark.train(1)).seconds)
  const result: Measured = {
    backbone: entry.name,
    batch_size: benchmark.batchSize,
    precision,
    images_per_second: rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)]!,
    peak_bytes: process.resourceUsage().maxRSS * 1024,
    graph_ms: benchmark.graphMs,
    first_step_ms: firstStep,
  }
  benchmark.dispose()
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${HEAD}\n${row(result)}\n`)
  return 0
}

/** One process after the other, so that each peak of memory is that backbone's own. */
async function benchAll(options: readonly string[], json: boolean): Promise<number> {
  const results: Measured[] = []
  if (!json) process.stdout.write(`${HEAD}\n`)
  for (const { name } of readConf()) {
    const result = await benchChild(name, options)
    results.push(result)
    if (!json) process.stdout.write(`${row(result)}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  return 0
}

async function benchChild(name: string, options: readonly string[]): Promise<Measured> {
  const command = [`${packageRoot()}/bin/facex.mjs`, 'bench', '--backbone', name, '--json', ...options]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command)
    return JSON.parse(stdout) as Measured
  } catch (error) {
    throw new FacexError('ERR_NATIVE', `${name}: ${messageOf(error)}`, { cause: error })
  }
}

const HEAD = '| backbone | batch | precision | training images/s | peak memory GB | graph ms | start to first step s |\n|---|---|---|---|---|---|---|'

function row(result: Measured): string {
  const { backbone, batch_size, precision, images_per_second, peak_bytes, graph_ms, first_step_ms } = result
  const cells = [backbone, batch_size, precision, images_per_second.toFixed(1), (peak_bytes / 1e9).toFixed(2), graph_ms.toFixed(0), (first_step_ms / 1000).toFixed(2)]
  return `| ${cells.join(' | ')} |`
}

const SLOWEST = 15

function profileText(benchmark: StepBenchmark): string {
  const nodes = benchmark.profile()
  const total = nodes.reduce((sum, node) => sum + node.forward + node.backward, 0)
  const byOp = new Map<string, { op: string; path: string; forward: number; backward: number }>()
  for (const { op, forward, backward } of nodes) {
    const sum = byOp.get(op) ?? { op, path: '', forward: 0, backward: 0 }
    byOp.set(op, { ...sum, forward: sum.forward + forward, backward: sum.backward + backward })
  }
  const line = ({ op, path, forward, backward }: { op: string; path: string; forward: number; backward: number }) =>
    `${op.padEnd(18)} ${(forward * 1000).toFixed(1).padStart(9)} ${(backward * 1000).toFixed(1).padStart(9)} ${((100 * (forward + backward)) / total).toFixed(1).padStart(6)}%  ${path}`
  const slowestFirst = (a: { forward: number; backward: number }, b: { forward: number; backward: number }) => b.forward + b.backward - a.forward - a.backward
  return [
    `one step of ${benchmark.batchSize} images: ${(total * 1000).toFixed(1)} ms in the network`,
    '                     forward  backward  share',
    ...[...byOp.values()].sort(slowestFirst).map(line),
    '',
    `the ${SLOWEST} slowest nodes`,
    ...[...nodes].sort(slowestFirst).slice(0, SLOWEST).map(line),
    '',
  ].join('\n')
}
