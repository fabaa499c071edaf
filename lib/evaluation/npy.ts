/**
 * Embeddings as a NumPy file (format 1.0): float32 [N, D], row-major. `E.txt` beside `E.npy` names the rows.
 * @module
 */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import type { Embeddings } from './scores.js'

const MAGIC = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
/** The data starts at a multiple of this. */
const ALIGNMENT = 64

/** What stands before the numbers of a float32 array. */
export function npyHeader(...shape: readonly number[]): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.length === 1 ? `${shape[0]},` : shape.join(', ')}), }`
  const prefix = MAGIC.length + 2
  const padding = ALIGNMENT - ((prefix + text.length + 1) % ALIGNMENT)
  const body = `${text}${' '.repeat(padding % ALIGNMENT)}\n`
  const length = Buffer.alloc(2)
  length.writeUInt16LE(body.length)
  return Buffer.concat([MAGIC, length, Buffer.from(body)])
}

/**
 * Writes `out` and the text file beside it; neither is ever half written.
 * @param names what each row is, a line each
 * @returns both paths
 * @throws FacexError ERR_DATA when the folder cannot be written
 */
export function writeEmbeddings(out: string, { count, dim, data }: Embeddings, names: readonly string[]): { array: string; names: string } {
  const text = path.join(path.dirname(out), `${path.basename(out, '.npy')}.txt`)
  const content = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  try {
    replaceFile(text, Buffer.from(names.map((name) => `${name}\n`).join('')))
    replaceFile(out, Buffer.concat([npyHeader(count, dim), content]))
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${out}: the embeddings cannot be written: ${messageOf(cause)}`, { cause })
  }
  return { array: out, names: text }
}

/** Writes a file that is never half there. */
export function replaceFile(file: string, content: Uint8Array): void {
  writeFileSync(`${file}.part`, content)
  renameSync(`${file}.part`, file)
}
