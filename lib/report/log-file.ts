/**
 * The log of a run: the plain lines with the time before each.
 * @module
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'

import type { RunListener } from '../training/events.js'
import { lineListener } from './line-listener.js'

/** Appends to `file`; a resumed run goes on below what is there. */
export function logFileListener(file: string): RunListener {
  mkdirSync(path.dirname(file), { recursive: true })
  return lineListener((line) => appendFileSync(file, line === '' ? '\n' : `${new Date().toISOString()} ${line}\n`))
}
