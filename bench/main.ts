/**
 * `npm run bench`: facex against PyTorch on this machine, taking turns. Progress goes to stderr, the tables to stdout.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

import { addon } from '../lib/native.js'
import { parseBenchOptions, usage, type BenchOptions } from './options.js'
import { Peer } from './peer.js'
import { benchCheckpoint } from './sections/checkpoint.js'
import { benchEstimate } from './sections/estimate.js'
import { benchEvaluate } from './sections/evaluate.js'
import { benchHeads } from './sections/heads.js'
import { benchLoader } from './sections/loader.js'
import { benchModes } from './sections/modes.js'
import { benchSearch } from './sections/search.js'
import { benchStartup } from './sections/startup.js'
import { benchClasses, benchCompile, benchStep } from './sections/step.js'
import { benchWaiting } from './sections/waiting.js'

/** Prints its table line by line. */
type Section = (options: BenchOptions, print: (line: string) => void) => Promise<void>

const SECTIONS: readonly (readonly [name: string, title: string, run: Section])[] = [
  ['step', 'Training step, extraction and memory', benchStep],
  ['classes', 'Training step with 72,778 identities', benchClasses],
  ['heads', 'Margin head alone', benchHeads],
  ['estimate', 'What facex estimate predicts, and the peak of the run', benchEstimate],
  ['modes', 'Training modes', benchModes],
  ['loader', 'Image loader', benchLoader],
  ['checkpoint', 'Checkpoints', benchCheckpoint],
  ['startup', 'Start-up', benchStartup],
  ['evaluate', 'Verification from image files', benchEvaluate],
  ['search', 'Search among distractors', benchSearch],
  ['waiting', 'Waiting for images in a run', benchWaiting],
  ['compile', 'Training step against torch.compile', benchCompile],
]

function machine({ threads, rounds, steps, timedTurns, device, keepMemory }: BenchOptions): string {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? []
  const vector = ['amx_bf16', 'avx512_bf16', 'avx512f', 'avx2'].filter((flag) => flags.includes(flag)).join(', ')
  const python = process.env['FACEX_PYTHON'] ?? 'python3'
  const torch = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' }).trim()
  return (
    `${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores ${cpus()[0]!.model} (${vector}), ${Math.round(totalmem() / 2 ** 30)} GiB; ` +
    `${device === 'cuda' ? `${addon().info().cuda.devices[0]?.name ?? 'no GPU'}, ` : ''}libtorch ${addon().info().libtorch}, PyTorch ${torch}${keepMemory ? ' with freed memory kept' : ''}, Node ${process.version}; ${threads} threads, ${rounds} rounds of ${timedTurns ? 'half a second' : steps}. ` +
    'Ratios are medians with their range; above 1 facex is faster or smaller.'
  )
}

const names = SECTIONS.map(([name]) => name)

/** What was asked for; ends the process where that is nothing that can be measured. */
function parsed(): BenchOptions | undefined {
  const stop = (status: number, message: string) => {
    process.stderr.write(`bench: ${message}\n`)
    process.exit(status)
  }
  try {
    const options = parseBenchOptions(process.argv.slice(2), names)
    const { available, problem, remedy } = addon().info().cuda
    return options?.device === 'cuda' && !available ? stop(1, `--device cuda: ${problem}. ${remedy}.`) : options
  } catch (error) {
    if (error instanceof TypeError) return stop(2, `${error.message}; --help lists the options`)
    throw error
  }
}

const options = parsed()
if (options === undefined) {
  process.stdout.write(usage(names))
} else {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  print(machine(options))
  if (options.keepMemory) Peer.keepMemoryOfPython()
  for (const [name, title, run] of SECTIONS) {
    if (!options.only.includes(name)) continue
    print(`\n### ${title}\n`)
    await run(options, print)
  }
}
