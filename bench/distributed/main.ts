/**
 * Several processes against one with as many threads, on this machine: images/s, waiting, memory, and what a step sends
 * against the formula. `node dist/bench/distributed/main.js --help`
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { freePort } from '../../lib/distributed/free-port.js'
import type { RankReport, RankRequest } from './report.js'
import { sentBytes, stepVolume, type Volume } from './volume.js'

const usage = `Usage: node dist/bench/distributed/main.js [OPTIONS]

  --ranks 2               processes, one thread each; compared with one process of as many threads
  --backbone MobileFaceNet
  --head ArcFace
  --classes 72778         identities
  --batch 64              images of a step on all ranks
  --steps 5
  --sync_batch_norm       statistics over all ranks
  --bf16                  gradients travel as bfloat16
  --skip_alone            only the ranks (a head that one process has no memory for)
`

const { values } = parseArgs({
  options: {
    ranks: { type: 'string', default: '2' },
    backbone: { type: 'string', default: 'MobileFaceNet' },
    head: { type: 'string', default: 'ArcFace' },
    classes: { type: 'string', default: '72778' },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '5' },
    sync_batch_norm: { type: 'boolean', default: false },
    bf16: { type: 'boolean', default: false },
    skip_alone: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const print = (line: string) => process.stdout.write(`${line}\n`)
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(2)

if (values.help) process.stdout.write(usage)
else await compare()

async function compare(): Promise<void> {
  const ranks = Number(values.ranks)
  const request = {
    backbone: values.backbone,
    head: values.head,
    classes: Number(values.classes),
    batch: Number(values.batch),
    steps: Number(values.steps),
    syncBatchNorm: values.sync_batch_norm,
    bfloat16: values.bf16,
  }
  print('| processes | threads each | images/s | waiting for others | peak GiB a process |\n|---|---|---|---|---|')
  if (!values.skip_alone) print(line(1, ranks, await run(1, { ...request, threads: ranks })))
  const together = await run(ranks, { ...request, threads: 1 })
  print(line(ranks, 1, together))
  const formula = stepVolume({
    ranks,
    batch: request.batch,
    dim: 512,
    parameters: together.parameters,
    gradientBytes: request.bfloat16 ? 2 : 4,
    normChannels: request.syncBatchNorm ? together.normChannels : 0,
    sharesClasses: true,
  })
  print('\n| a step, one rank | formula MiB | measured MiB |\n|---|---|---|')
  const kinds: readonly [keyof Volume, string][] = [['allReduced', 'all-reduced'], ['gathered', 'gathered (own part)'], ['scattered', 'reduce-scattered']]
  for (const [kind, name] of kinds) print(`| ${name} | ${mib(formula[kind])} | ${mib(together.volume[kind])} |`)
  print(`| sent by all ranks (formula: rings; measured: loopback device) | ${mib(ranks * sentBytes(formula, ranks))} | ${mib(together.loopbackBytes)} |`)
  print(`\n${together.operations.toFixed(0)} operations a step`)
}

function line(processes: number, threads: number, report: RankReport): string {
  const peaks = report.peakBytes.map((bytes) => (bytes / 2 ** 30).toFixed(2)).join(', ')
  return `| ${processes} | ${threads} | ${report.imagesPerSecond.toFixed(1)} | ${(100 * report.waitShare).toFixed(0)}% | ${peaks} |`
}

async function run(ranks: number, request: RankRequest): Promise<RankReport> {
  const port = await freePort()
  const script = fileURLToPath(new URL('rank.js', import.meta.url))
  const children = Array.from({ length: ranks }, (_, rank) =>
    spawn(process.execPath, [script, JSON.stringify(request)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, RANK: String(rank), WORLD_SIZE: String(ranks), MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) },
    }),
  )
  let text = ''
  children[0]!.stdout!.setEncoding('utf8').on('data', (part: string) => (text += part))
  const statuses = await Promise.all(children.map((child) => new Promise((resolve) => child.once('close', resolve))))
  if (statuses.some((status) => status !== 0)) throw new Error(`the ranks ended with status ${statuses.join(', ')}`)
  return JSON.parse(text) as RankReport
}
