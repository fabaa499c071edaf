/**
 * Loads an addon in another process before this one does: a wrong driver, library or processor may end the process that
 * loads it, and that must become a message. What loaded once is not tried again until it changes.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { cacheFolder } from './places.js'

/** Why the addon does not load here, on this machine: a home folder may belong to several; undefined where it does. */
export function problemOfFirstLoad(addon: string, libtorch?: string): string | undefined {
  const verdict = path.join(cacheFolder(), 'loads', createHash('sha256').update(`${os.hostname()} ${addon}`).digest('hex').slice(0, 16))
  const identity = [addon, libtorch ?? ''].map(identityOf).join('\n') + `\n${process.version} ${process.platform} ${process.arch}\n`
  if (existsSync(verdict) && readFileSync(verdict, 'utf8') === identity) return undefined
  const problem = probe(addon, libtorch)
  if (problem === undefined) remember(verdict, identity)
  return problem
}

/** A file or folder as it is now; that it was replaced shows in its time of change. */
function identityOf(place: string): string {
  if (place === '' || !existsSync(place)) return place
  const { size, mtimeMs, ino } = statSync(place)
  return `${place} ${size} ${mtimeMs} ${ino}`
}

function probe(addon: string, libtorch: string | undefined): string | undefined {
  const program = fileURLToPath(new URL('./probe-addon.js', import.meta.url))
  const argv = [program, addon, ...(libtorch === undefined ? [] : [libtorch])]
  const { status, signal, stderr, error } = spawnSync(process.execPath, argv, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: undefined } })
  if (status === 0) return undefined
  if (error !== undefined) return `it could not be tried in a process of its own: ${error.message}`
  if (status === 1 && stderr !== '') return stderr.trim().split('\n')[0]
  const words = stderr.split('\n').find((line) => /error|what\(\)|terminate|illegal/i.test(line)) // not the stack that Node prints
  return `loading it ends the process (${signal ?? `exit status ${status}`})${words === undefined ? '' : `: ${words.trim()}`}`
}

function remember(verdict: string, identity: string): void {
  try {
    mkdirSync(path.dirname(verdict), { recursive: true })
    writeFileSync(verdict, identity)
  } catch {
    // A cache that cannot be written costs the next process the same second.
  }
}
