/**
 * Processes that a benchmark drives line by line, so that facex and PyTorch can take turns on the same machine in the
 * same minute and the result is a ratio with a spread. Each has a process of its own: its peak memory is its own too.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Answer of a peer: seconds of the work asked for, and the largest resident size of its process so far. */
export interface PeerAnswer {
  readonly seconds: number
  readonly peak_bytes: number
  readonly [key: string]: unknown
}

/**
 * glibc's settings with which a process keeps what it frees, in huge pages. By default it returns large blocks to the
 * system, and each tensor of a step then costs a page fault for every 4 KiB, which on virtual machines may take longer
 * than the arithmetic.
 */
const KEPT = { GLIBC_TUNABLES: `glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=${2 ** 40}:glibc.malloc.hugetlb=1` }

export class Peer {
  static #environment: NodeJS.ProcessEnv = process.env
  readonly #child: ChildProcess
  readonly #lines: Interface

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout! })
  }

  /** From here on PyTorch's processes keep the memory that they free, as facex does by itself. */
  static keepMemoryOfPython(): void {
    Peer.#environment = { ...process.env, ...KEPT }
  }

  /** A script of bench/peers/, run by `FACEX_PYTHON` (a Python with torch), else `python3`. */
  static python(script: string): Promise<Peer> {
    return Peer.#start(process.env['FACEX_PYTHON'] ?? 'python3', fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url)), Peer.#environment)
  }

  /** A compiled module of bench/workers/. */
  static node(module: string): Promise<Peer> {
    return Peer.#start(process.execPath, fileURLToPath(new URL(module, import.meta.url)), process.env)
  }

  static async #start(command: string, file: string, env: NodeJS.ProcessEnv): Promise<Peer> {
    const child = spawn(command, [file], { stdio: ['pipe', 'pipe', 'inherit'], env })
    await once(child, 'spawn')
    return new Peer(child)
  }

  /** Sends one request and waits for its answer. Throws when the peer ends instead. */
  async ask(request: Record<string, unknown>): Promise<PeerAnswer> {
    const stop = new AbortController()
    const answer = once(this.#lines, 'line', { signal: stop.signal }).then(([line]) => JSON.parse(line as string) as PeerAnswer)
    const end = once(this.#child, 'exit', { signal: stop.signal }).then(([code]): PeerAnswer => {
      throw new Error(`${this.#child.spawnargs.join(' ')} ended with status ${String(code)}; FACEX_PYTHON must name a Python with torch`)
    })
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`)
    try {
      return await Promise.race([answer, end])
    } finally {
      stop.abort()
      await Promise.allSettled([answer, end])
    }
  }

  close(): void {
    this.#child.stdin!.end()
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
