/**
 * `facex bench`: speed and memory of training steps on this machine.
 * @module
 */
import { availableParallelism } from 'node:os'

import { readConf } from '../backbones/conf.js'
import { FacexError, unknownName } from '../errors.js'
import { RECOMPUTE } from '../graph/recompute.js'
import { addon, type NativeDevice } from '../native.js'
import { StepBenchmark } from '../training/benchmark.js'
import { profileText } from './bench/profile.js'
import { benchTable, HEAD, row, type Measured } from './bench/table.js'
import { parseOptions, wholeNumber } from './options.js'
import { deviceOption } from './weights.js'

export const usage = `Usage: facex bench --backbone NAME [OPTIONS]
       facex bench backbones [OPTIONS]

Trains a few steps on one batch from memory and prints images/s, peak memory of the process, and the times until the
graph stands and until the first batch is trained. The median of the steps counts; the machine should be idle.
\`bench backbones\` does so for every network of backbone_conf.yaml, each in a process of its own.

--backbone NAME            an entry of backbone_conf.yaml
--backbone_conf_file FILE  another file than the one that facex ships
--batch_size N             images of a step, 16 by default
--classes K                identities of the ArcFace head, 1000 by default
--steps N                  steps after the first, 3 by default
--seconds S                no further step of a backbone after so many seconds, 8 by default
--precision P              fp32, bf16 or fp16; fp32 by default
--device NAME              cpu (the default), cuda or auto; on a GPU the memory is the GPU's
--threads N                threads of tensor operations, all cores by default
--recompute R              auto (the default), light, true or false, as \`recompute\` in a run's configuration
--profile                  time of a step and of embedding its images by op, and the slowest nodes
--json                     for machines
`

const OPTIONS = {
  backbone: { type: 'string' },
  backbone_conf_file: { type: 'string' },
  batch_size: { type: 'string' },
  classes: { type: 'string' },
  device: { type: 'string' },
  json: { type: 'boolean' },
  precision: { type: 'string' },
  recompute: { type: 'string', default: 'auto' },
  profile: { type: 'boolean' },
  seconds: { type: 'string' },
  steps: { type: 'string' },
  threads: { type: 'string' },
} as const

const PRECISIONS = ['fp32', 'bf16', 'fp16'] as const

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, OPTIONS, ['backbones'])
  const { backbone: name, json = false } = values
  const precision = PRECISIONS.find((known) => known === (values.precision ?? 'fp32'))
  if (precision === undefined) throw new FacexError('ERR_USAGE', unknownName('precision', values.precision!, PRECISIONS))
  const recompute = RECOMPUTE.find((known) => String(known) === values.recompute)
  if (recompute === undefined) throw new FacexError('ERR_USAGE', unknownName('recompute', values.recompute!, RECOMPUTE.map(String)))
  const threads = wholeNumber('threads', values.threads) ?? availableParallelism()
  const device = deviceOption(values.device ?? 'cpu')
  const steps = wholeNumber('steps', values.steps) ?? 3
  const seconds = wholeNumber('seconds', values.seconds) ?? 8
  const batchSize = wholeNumber('batch_size', values.batch_size) ?? 16
  const classes = wholeNumber('classes', values.classes) ?? 1000

  if (positionals[0] === 'backbones') {
    if (name !== undefined || values.profile) throw new FacexError('ERR_USAGE', `bench backbones takes neither --backbone nor --profile\n\n${usage}`)
    const numbers = { batch_size: batchSize, classes, steps, seconds, threads }
    return benchTable(values.backbone_conf_file, ['--precision', precision, '--device', device, '--recompute', String(recompute), ...Object.entries(numbers).flatMap(([key, value]) => [`--${key}`, String(value)])], json)
  }
  if (positionals[0] !== undefined || name === undefined) throw new FacexError('ERR_USAGE', `expected --backbone NAME, or "backbones"\n\n${usage}`)
  const conf = readConf(values.backbone_conf_file)
  const entry = conf.find((candidate) => candidate.name === name)
  if (entry === undefined) throw new FacexError('ERR_CONFIG', unknownName('backbone', name, conf.map((candidate) => candidate.name)))

  const begin = performance.now()
  const benchmark = new StepBenchmark({ backbone: entry, batchSize, classes, precision, device, threads, recompute })
  if (values.profile) {
    process.stdout.write(json ? `${JSON.stringify({ step: benchmark.profile(), extraction: benchmark.profileExtraction() }, null, 2)}\n` : profileText(benchmark))
    return 0
  }
  const result = await measure(benchmark, begin, device, { steps, seconds })
  benchmark.dispose()
  const measured: Measured = { backbone: name, batch_size: batchSize, precision, ...result }
  process.stdout.write(json ? `${JSON.stringify(measured)}\n` : `${HEAD}${row(measured)}`)
  return 0
}

/** One step more is always timed, however long it takes. */
async function measure(benchmark: StepBenchmark, begin: number, device: NativeDevice, { steps, seconds }: { steps: number; seconds: number }) {
  await benchmark.train(1)
  const first = performance.now()
  const rates: number[] = []
  do rates.push(benchmark.batchSize / (await benchmark.train(1)).seconds)
  while (rates.length < steps && performance.now() - first < 1000 * seconds)
  return {
    images_per_second: rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)]!,
    steps: rates.length,
    peak_bytes: device === 'cuda' ? addon().info().cuda.peakMemory : process.resourceUsage().maxRSS * 1024,
    graph_ms: benchmark.graphMs,
    first_step_ms: first - begin,
  }
}
