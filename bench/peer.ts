/**
 * A Python peer process that a benchmark drives line by line, so that facex and PyTorch can take turns on the same
 * machine in the same minute and the result is a ratio with a spread.
 *
 * The interpreter is `FACEX_PYTHON` (one with torch installed), else `python3`.
 * @module
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Answer of a peer: seconds of the work asked for, and the largest resident size of its process so far. */
export interface PeerAnswer {
  readonly seconds: number
  readonly peak_bytes: number
  readonly [key: string]: unknown
}

/** One running peer; `script` is a file of bench/peers/. */
export class Peer {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: Interface,
  ) {}

  /** Starts the interpreter; throws when it can't be started. */
  static async start(script: string): Promise<Peer> {
    const file = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url))
    const child = spawn(process.env.FACEX_PYTHON ?? 'python3', [file], { stdio: ['pipe', 'pipe', 'inherit'] as never })
    await once(child, 'spawn')
    return new Peer(child as ChildProcessWithoutNullStreams, createInterface({ input: child.stdout! }))
  }

  /** Sends one request and waits for its answer. */
  async ask(request: Record<string, unknown>): Promise<PeerAnswer> {
    const answer = once(this.lines, 'line')
    const exit = once(this.child, 'exit').then(([code]) => {
      throw new Error(`the peer ended with status ${String(code)}; is FACEX_PYTHON a Python with torch?`)
    })
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    const [line] = (await Promise.race([answer, exit])) as [string]
    exit.catch(() => {})
    return JSON.parse(line) as PeerAnswer
  }

  close(): void {
    this.child.stdin.end()
  }
}

/** Median of a non-empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** `2.41 (2.35 to 2.50)`: median and range of ratios. */
export function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`
}
