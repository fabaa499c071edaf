/**
 * Several processes of one command on this machine, as one: torchrun's variables set, output prefixed by rank, signals
 * passed on, all ended when one fails, and started again from the last checkpoint if asked to.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export interface LaunchPlan {
  /** Processes on this machine. */
  readonly processes: number
  /** Machines, and which of them this one is. */
  readonly nodes: number
  readonly node: number
  readonly master: string
  readonly port: number
  readonly maxRestarts: number
  /** Program and arguments of a rank; `restart` counts from 0. */
  readonly command: (restart: number) => readonly [string, ...string[]]
  /** Seconds that the others have to end by themselves once one has failed. */
  readonly graceSeconds: number
}

/** How one process ended. */
interface Ended {
  readonly rank: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Exit statuses after which a restart would only fail again: wrong usage or configuration. */
const HOPELESS = 2

const log = (line: string): void => void process.stderr.write(`${line}\n`)

/** Runs the plan and resolves with the exit status of the whole. Says on stderr what happens to the processes. */
export async function launch(plan: LaunchPlan): Promise<number> {
  for (let restart = 0; ; restart++) {
    const { status, interrupted } = await runOnce(plan, restart)
    if (status === 0 || interrupted || status === HOPELESS || restart >= plan.maxRestarts) return status
    log(`launch: starting all processes again from the last checkpoint (restart ${restart + 1} of ${plan.maxRestarts})`)
  }
}

async function runOnce(plan: LaunchPlan, restart: number): Promise<{ status: number; interrupted: boolean }> {
  const children = Array.from({ length: plan.processes }, (_, local) => start(plan, local, restart))
  let interrupted = false
  const handlers = SIGNALS.map((name) => {
    const handle = () => {
      interrupted = true
      children.forEach(({ child }) => child.kill(name))
    }
    process.on(name, handle)
    return () => process.removeListener(name, handle)
  })
  let timer: NodeJS.Timeout | undefined
  let first: Ended | undefined
  // Of any rank: the others end with its message and a status of their own, often before it.
  let hopeless = false
  const running = new Set(children)
  try {
    await Promise.all(
      children.map(async (one) => {
        const ended = await one.ended
        running.delete(one)
        if (ended.code === HOPELESS) hopeless = true
        if (failed(ended) && first === undefined) {
          first = ended
          log(`launch: ${describe(ended)}${running.size === 0 ? '' : '; ending the others'}`)
          timer = endSoon(running, plan.graceSeconds)
        }
      }),
    )
  } finally {
    clearTimeout(timer)
    handlers.forEach((remove) => remove())
  }
  if (first === undefined) return { status: 0, interrupted }
  if (hopeless) return { status: HOPELESS, interrupted }
  return { status: first.code ?? 128 + (SIGNAL_NUMBERS[first.signal!] ?? 0), interrupted }
}

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** The others hear of a failure by themselves and say why they end; whoever has not done so in time is killed. */
function endSoon(running: ReadonlySet<{ readonly child: ChildProcess }>, graceSeconds: number): NodeJS.Timeout {
  return setTimeout(() => running.forEach(({ child }) => child.kill('SIGKILL')), 1000 * graceSeconds)
}

function failed({ code, signal }: Ended): boolean {
  return signal !== null || code !== 0
}

function describe({ rank, code, signal }: Ended): string {
  return `rank ${rank} ${signal === null ? `ended with status ${code}` : `was ended by ${signal}`}`
}

function start(plan: LaunchPlan, local: number, restart: number) {
  const rank = plan.node * plan.processes + local
  const [program, ...argv] = plan.command(restart)
  const child = spawn(program, argv, {
    stdio: [rank === 0 ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      RANK: String(rank),
      WORLD_SIZE: String(plan.nodes * plan.processes),
      LOCAL_RANK: String(local),
      LOCAL_WORLD_SIZE: String(plan.processes),
      MASTER_ADDR: plan.master,
      MASTER_PORT: String(plan.port),
      TORCHELASTIC_RESTART_COUNT: String(restart),
    },
    // A Ctrl-C of the terminal goes to the whole group: the launcher passes it on, once.
    detached: true,
  })
  const total = plan.nodes * plan.processes
  forward(child.stdout, process.stdout, rank === 0 ? '' : prefix(rank, total))
  forward(child.stderr, process.stderr, prefix(rank, total))
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', () => resolve({ rank, code: 1, signal: null }))
    child.once('close', (code, signal) => resolve({ rank, code, signal }))
  })
  return { child, ended }
}

/** `[rank 03] `, wide enough for all. */
function prefix(rank: number, total: number): string {
  return `[rank ${String(rank).padStart(String(total - 1).length, '0')}] `
}

function forward(from: Readable, to: Writable, before: string): void {
  createInterface({ input: from, crlfDelay: Infinity }).on('line', (line) => to.write(`${before}${line}\n`))
}
