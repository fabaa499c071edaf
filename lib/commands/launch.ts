/**
 * `facex launch`: several processes of `facex train` (or another command) that work as one.
 * @module
 */
import path from 'node:path'

import { freePort } from '../distributed/free-port.js'
import { launch } from '../distributed/launcher.js'
import { FacexError } from '../errors.js'
import { packageRoot } from '../setup/places.js'
import { parseOptions, wholeNumber } from './options.js'
import { DEFAULT_TIMEOUTS } from './ranks.js'
import { readArguments } from './train.js'

export const usage = `Usage: facex launch --nproc N [LAUNCH OPTIONS] CONFIG [OPTIONS OF facex train]
       facex launch --nproc N [LAUNCH OPTIONS] evaluate|extract [OPTIONS]

Starts N processes on this machine that train one model together; see docs/distributed.md. batch_size stays the batch
of all processes together.

  --nproc N            processes on this machine
  --max_restarts N     start again from the last checkpoint when a process has failed, so many times; 0 when left out
  --nnodes N           machines; this command runs on each
  --node_rank N        which machine this is, from 0
  --master_addr HOST   machine 0; needed with several
  --master_port PORT   port on it; with one machine a free one is found

Ctrl-C and SIGTERM go to all processes, which end with a checkpoint. Under SLURM, srun takes the place of this command:
\`srun facex train CONFIG\`; torchrun's variables work too.
`

const COMMANDS = ['train', 'evaluate', 'extract']
const OPTIONS = ['nproc', 'max_restarts', 'nnodes', 'node_rank', 'master_addr', 'master_port'] as const
/** Beyond `silence_seconds`: for the other ranks to say why they end, and rank 0 to finish a checkpoint. */
const GRACE_SECONDS = 25

export async function run(argv: string[]): Promise<number> {
  const { own, rest } = split(argv)
  const { values } = parseOptions(own, Object.fromEntries(OPTIONS.map((name) => [name, { type: 'string' }])) as Record<(typeof OPTIONS)[number], { type: 'string' }>)
  const processes = wholeNumber('nproc', values.nproc)
  if (processes === undefined || rest.length === 0) throw new FacexError('ERR_USAGE', `expected --nproc N and a configuration\n\n${usage}`)
  const nodes = wholeNumber('nnodes', values.nnodes) ?? 1
  const node = wholeNumber('node_rank', values.node_rank, 0) ?? 0
  if (node >= nodes) throw new FacexError('ERR_USAGE', `--node_rank: expected 0 to ${nodes - 1} (--nnodes ${nodes}), received ${node}`)
  if (nodes > 1 && (values.master_addr === undefined || values.master_port === undefined)) {
    throw new FacexError('ERR_USAGE', `--nnodes ${nodes} needs --master_addr and --master_port, the same on every machine`)
  }
  const port = wholeNumber('master_port', values.master_port) ?? (await freePort())
  const [command, ...rankArgv] = COMMANDS.includes(rest[0]!) ? (rest as [string, ...string[]]) : (['train', ...rest] as [string, ...string[]])
  // What is wrong with them is said here, once instead of by every rank.
  const timeouts = command === 'train' ? readArguments(rankArgv).resolved.config.distributed : DEFAULT_TIMEOUTS
  const program = path.join(packageRoot(), 'bin', 'facex.mjs')
  return launch({
    processes,
    nodes,
    node,
    master: values.master_addr ?? '127.0.0.1',
    port,
    maxRestarts: wholeNumber('max_restarts', values.max_restarts, 0) ?? 0,
    graceSeconds: timeouts.silence_seconds + GRACE_SECONDS,
    command: (restart) => [process.execPath, program, command, ...rankArgv, ...(restart > 0 && command === 'train' && !rankArgv.some((argument) => /^--resume(=|$)/.test(argument)) ? ['--resume'] : [])],
  })
}

/** Options of the launcher stand anywhere; everything else belongs to the ranks. */
function split(argv: readonly string[]): { own: string[]; rest: string[] } {
  const own: string[] = []
  const rest: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const name = /^--([^=]+)/.exec(argv[i]!)?.[1]
    if (!OPTIONS.some((option) => option === name)) rest.push(argv[i]!)
    else own.push(argv[i]!, ...(argv[i]!.includes('=') || argv[i + 1] === undefined ? [] : [argv[++i]!]))
  }
  return { own, rest }
}
