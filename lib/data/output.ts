/**
 * Files that commands leave behind: a folder that cannot be written or a full disk is said with the file's name.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'

/** @throws FacexError ERR_DATA naming the file, where `work` on it fails */
export function onDisk<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof FacexError) throw cause
    throw new FacexError('ERR_DATA', `${file}: cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** Name of a file that is being written: a program that is stopped leaves it, and the next one overwrites it. */
export function unfinished(file: string): string {
  return `${file}.part`
}

/** Writes a file, and the folders above it where they are missing. @throws FacexError ERR_DATA */
export function writeOutput(file: string, content: string | Uint8Array, options: { readonly flag?: 'wx' } = {}): void {
  onDisk(file, () => {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content, options)
  })
}
