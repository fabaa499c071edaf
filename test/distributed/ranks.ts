/** Processes of one group for tests: torchrun's variables set, output collected by rank. @module */
import { spawn, type ChildProcess } from 'node:child_process'

export interface RankOutcome {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Ranks {
  readonly children: readonly ChildProcess[]
  /** How every rank ended, in order. */
  readonly outcomes: Promise<RankOutcome[]>
}

export interface RankOptions {
  /** Variables beside torchrun's, or instead of them. */
  readonly env?: (rank: number) => Record<string, string | undefined>
  readonly cwd?: (rank: number) => string
  /** A command that runs the rank: `ip netns exec NAME`. */
  readonly within?: (rank: number) => readonly string[]
}

/** Starts `argv` (a script and its arguments, for each rank) as ranks 0 to size - 1. */
export function startRanks(size: number, port: number, argv: (rank: number) => readonly string[], { env = () => ({}), cwd, within = () => [] }: RankOptions = {}): Ranks {
  const children = Array.from({ length: size }, (_, rank) => {
    const [program, ...rest] = [...within(rank), process.execPath, ...argv(rank)] as [string, ...string[]]
    return spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: cwd?.(rank),
      env: {
        ...process.env,
        NODE_OPTIONS: undefined,
        RANK: String(rank),
        WORLD_SIZE: String(size),
        LOCAL_RANK: String(rank),
        LOCAL_WORLD_SIZE: String(size),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: String(port),
        ...env(rank),
      },
    })
  })
  return { children, outcomes: Promise.all(children.map(outcomeOf)) }
}

function outcomeOf(child: ChildProcess): Promise<RankOutcome> {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr })))
}
