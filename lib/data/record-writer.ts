/**
 * Writes RecordIO files that MXNet's readers and insightface's loaders take; the format stands in
 * native/data/record_file.h.
 * @module
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

import { FacexError } from '../errors.js'
import { onDisk, unfinished } from './output.js'
import { indexFileOf } from './records.js'

const MAGIC = 0xced7230a
const WHOLE = 0
const FIRST = 1
const MIDDLE = 2
const LAST = 3
/** Lengths have 29 bits. */
const MAX_LENGTH = 2 ** 29 - 1

/** The data as the bytes of one record: parts, magic numbers, padding. */
export function encodeRecord(data: Buffer): Buffer {
  if (data.length > MAX_LENGTH) throw new RangeError(`a record holds at most ${MAX_LENGTH} bytes, received ${data.length}`)
  const pieces: Buffer[] = []
  let start = 0
  const part = (kind: number, end: number) => {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(MAGIC, 0)
    head.writeUInt32LE(((kind << 29) | (end - start)) >>> 0, 4)
    pieces.push(head, data.subarray(start, end))
  }
  for (let at = 0; at + 4 <= data.length; at += 4) {
    if (data.readUInt32LE(at) !== MAGIC) continue
    part(start === 0 ? FIRST : MIDDLE, at)
    start = at + 4
  }
  part(start === 0 ? WHOLE : LAST, data.length)
  pieces.push(Buffer.alloc((4 - ((data.length - start) % 4)) % 4))
  return Buffer.concat(pieces)
}

/** The header of an image record and what follows it. Several labels stand between header and content. */
export function imageRecord(id: number, label: number | readonly number[], content: Buffer): Buffer {
  const labels = typeof label === 'number' ? [] : label
  const head = Buffer.alloc(24 + 4 * labels.length)
  head.writeUInt32LE(labels.length, 0)
  head.writeFloatLE(typeof label === 'number' ? label : 0, 4)
  head.writeBigUInt64LE(BigInt(id), 8)
  labels.forEach((value, i) => head.writeFloatLE(value, 24 + 4 * i))
  return Buffer.concat([head, content])
}

/**
 * A .rec file and its .idx in the making, which get their names when they are complete. Record 0 is insightface's header:
 * the images are 1 ... count.
 */
export class RecordWriter {
  readonly #names: readonly string[]
  readonly #file: number
  readonly #index: number
  #position = 0
  #next = 1

  /**
   * @param count images that will be written
   * @throws FacexError ERR_DATA where one of the files exists
   */
  constructor(file: string, count: number) {
    this.#names = [file, indexFileOf(file)]
    for (const name of this.#names) if (existsSync(name)) throw new FacexError('ERR_DATA', `${name}: exists already and is not overwritten; remove it or choose another name`)
    ;[this.#file, this.#index] = this.#names.map((name) => onDisk(name, () => openSync(unfinished(name), 'w'))) as [number, number]
    // Both numbers are the key behind the last: there are no identity records between them.
    this.#write(0, imageRecord(0, [count + 1, count + 1], Buffer.alloc(0)))
  }

  add(label: number, content: Buffer): void {
    const key = this.#next++
    this.#write(key, imageRecord(key, label, content))
  }

  close(): void {
    this.#end()
    for (const name of this.#names) onDisk(name, () => renameSync(unfinished(name), name))
  }

  /** Instead of {@link close}: leaves nothing behind. */
  discard(): void {
    this.#end()
    for (const name of this.#names) rmSync(unfinished(name), { force: true })
  }

  #end(): void {
    closeSync(this.#file)
    closeSync(this.#index)
  }

  #write(key: number, data: Buffer): void {
    const record = encodeRecord(data)
    onDisk(this.#names[0]!, () => {
      for (let done = 0; done < record.length; ) done += writeSync(this.#file, record, done)
      writeSync(this.#index, `${key}\t${this.#position}\n`)
    })
    this.#position += record.length
  }
}
