/**
 * Reads NumPy files of float32 piece by piece: a million embeddings pass through without being in memory.
 * @module
 */
import { open, type FileHandle } from 'node:fs/promises'

import { FacexError, messageOf } from '../errors.js'
import type { Embeddings } from './scores.js'

const MAGIC = '\x93NUMPY'
const LONGEST_HEADER = 65536

/** An open file of numbers. Close it. */
export class NpyFile {
  readonly rows: number
  /** Numbers of a row; 1 for a list of numbers. */
  readonly columns: number
  readonly #file: FileHandle
  readonly #name: string
  readonly #start: number

  private constructor(file: FileHandle, name: string, { shape, start }: { shape: readonly number[]; start: number }) {
    this.#file = file
    this.#name = name
    this.#start = start
    this.rows = shape[0]!
    this.columns = shape[1] ?? 1
  }

  /** @throws FacexError ERR_DATA for anything else than a float32 array of one or two dimensions, in rows */
  static async open(name: string): Promise<NpyFile> {
    let file: FileHandle | undefined
    try {
      file = await open(name)
      const header = await readHeader(file)
      const { size } = await file.stat()
      const needed = header.start + 4 * header.shape.reduce((product, length) => product * length, 1)
      if (size !== needed) throw new FacexError('ERR_DATA', `expected ${needed} bytes for shape (${header.shape.join(', ')}), found ${size}`)
      return new NpyFile(file, name, header)
    } catch (cause) {
      await file?.close()
      throw new FacexError('ERR_DATA', `${name}: ${messageOf(cause)}`, { cause })
    }
  }

  /** All rows in order, `rows` at a time; a piece is its receiver's to keep. The next is read while one is worked on. */
  async *pieces(rows: number): AsyncGenerator<Embeddings> {
    let next = this.#read(0, rows)
    for (let row = 0; row < this.rows; row += rows) {
      const piece = await next
      if (row + rows < this.rows) {
        next = this.#read(row + rows, rows)
        next.catch(() => undefined) // it is awaited in the next round, or nobody wants it
      }
      yield piece
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #read(row: number, rows: number): Promise<Embeddings> {
    const count = Math.min(rows, this.rows - row)
    const data = new Float32Array(count * this.columns)
    const bytes = new Uint8Array(data.buffer)
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, this.#start + 4 * row * this.columns + done)
      if (bytesRead === 0) throw new FacexError('ERR_DATA', `${this.#name}: the file became shorter while it was read`)
      done += bytesRead
    }
    return { count, dim: this.columns, data }
  }
}

/** All numbers of a file. @throws FacexError ERR_DATA as {@link NpyFile.open} */
export async function readNpy(name: string): Promise<Embeddings> {
  const file = await NpyFile.open(name)
  try {
    for await (const all of file.pieces(Math.max(1, file.rows))) return all
    return { count: 0, dim: file.columns, data: new Float32Array() }
  } finally {
    await file.close()
  }
}

async function readHeader(file: FileHandle): Promise<{ shape: number[]; start: number }> {
  const head = Buffer.alloc(12)
  await file.read(head, 0, head.length, 0)
  if (head.toString('latin1', 0, 6) !== MAGIC) throw new FacexError('ERR_DATA', 'expected a NumPy file (.npy)')
  const [length, textStart] = head[6] === 1 ? [head.readUInt16LE(8), 10] : [head.readUInt32LE(8), 12]
  if (length > LONGEST_HEADER) throw new FacexError('ERR_DATA', `a header of ${length} bytes`)
  const text = Buffer.alloc(length)
  await file.read(text, 0, length, textStart)
  const header = text.toString('latin1')
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]))
  const rows = /'fortran_order':\s*False/.test(header)
  const fits = type === '<f4' && rows && (shape.length === 1 || shape.length === 2) && shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  if (!fits) throw new FacexError('ERR_DATA', `expected float32 of one or two dimensions in row order, found ${header.trim()}`)
  return { shape, start: textStart + length }
}
