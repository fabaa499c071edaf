/**
 * How commands that work on many images say which of them failed.
 * @module
 */
import { rmSync } from 'node:fs'
import path from 'node:path'

import { writeOutput } from '../data/output.js'

/** The first few failures, and all of them in `failures.txt` of the folder. */
export function failureLines(failures: readonly string[], folder: string): string[] {
  const file = path.join(folder, 'failures.txt')
  // One of an earlier run would say what is no longer so.
  rmSync(file, { force: true })
  if (failures.length === 0) return []
  writeOutput(file, failures.map((failure) => `${failure}\n`).join(''))
  return [...failures.slice(0, 10).map((failure) => `  ${failure}`), ...(failures.length > 10 ? [`  all of them in ${file}`] : [])]
}
