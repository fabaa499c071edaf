/**
 * Embeddings as a NumPy file (format 1.0): float32 [N, D], row-major. `E.txt` beside `E.npy` names the rows.
 * @module
 */
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'

import { onDisk, unfinished } from '../data/output.js'

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
 * Embeddings written piece by piece, so that millions of them need not be in memory. The file and the text file beside it
 * get their names when they are complete.
 */
export class EmbeddingWriter {
  readonly #out: string
  readonly #names: readonly string[]
  readonly #file: number

  /**
   * @param names what each row is, a line each
   * @param dim numbers of a row
   * @throws FacexError ERR_DATA when the folder cannot be written
   */
  constructor(out: string, names: readonly string[], dim: number) {
    this.#out = out
    this.#names = names
    this.#file = this.#try(() => openSync(unfinished(out), 'w'))
    try {
      this.#write(npyHeader(names.length, dim))
    } catch (error) {
      this.discard()
      throw error
    }
  }

  /** The next rows. */
  add(data: Float32Array): void {
    this.#write(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  }

  /** @returns both paths */
  close(): { array: string; names: string } {
    const text = path.join(path.dirname(this.#out), `${path.basename(this.#out, '.npy')}.txt`)
    closeSync(this.#file)
    try {
      this.#try(() => {
        replaceFile(text, Buffer.from(this.#names.map((name) => `${name}\n`).join('')))
        renameSync(unfinished(this.#out), this.#out)
      })
    } catch (error) {
      for (const file of [text, this.#out]) rmSync(unfinished(file), { force: true })
      throw error
    }
    return { array: this.#out, names: text }
  }

  /** Instead of {@link close}: leaves nothing behind. */
  discard(): void {
    closeSync(this.#file)
    rmSync(unfinished(this.#out), { force: true })
  }

  #write(content: Buffer): void {
    this.#try(() => {
      for (let done = 0; done < content.length; ) done += writeSync(this.#file, content, done)
    })
  }

  #try<T>(work: () => T): T {
    return onDisk(this.#out, work)
  }
}

/** Writes a file that is never half there. */
export function replaceFile(file: string, content: Uint8Array): void {
  writeFileSync(unfinished(file), content)
  renameSync(unfinished(file), file)
}

