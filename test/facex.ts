/**
 * Runs the command line as a user would: in a process of its own, without the test runner's loaders.
 * @module
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

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
