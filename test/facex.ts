/**
 * Runs the command line as a user would, in a process of its own without the test runner's loaders, or here.
 * @module
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

import { main } from '../lib/cli.js'
import { packageRoot } from '../lib/setup/places.js'

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `facex ARGV...`; `env` adds to (or with undefined removes from) the environment. */
export function facex(argv: readonly string[], options: { cwd?: string; env?: Record<string, string | undefined>; timeoutMs?: number } = {}): Outcome {
  return spawnSync(process.execPath, [path.join(packageRoot(), 'bin', 'facex.mjs'), ...argv], {
    encoding: 'utf8',
    cwd: options.cwd,
    timeout: options.timeoutMs ?? 120_000,
    env: { ...process.env, NODE_OPTIONS: undefined, ...options.env },
  })
}

/**
 * The same in this process, which takes a tenth of the time: for tests of what a command does, not of how a process
 * starts and ends. Paths of `argv` are absolute, or `cwd` says where they start.
 */
export async function facexHere(argv: readonly string[], { cwd = process.cwd() }: { cwd?: string } = {}): Promise<Outcome> {
  const text = { stdout: '', stderr: '' }
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name]
    process[name].write = (chunk: string | Uint8Array) => (text[name] += String(chunk)).length > 0
    return () => (process[name].write = write)
  })
  const before = process.cwd()
  process.chdir(cwd)
  try {
    return { status: await main(argv), ...text }
  } finally {
    process.chdir(before)
    restore.forEach((undo) => undo())
  }
}
