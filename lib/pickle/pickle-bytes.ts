/**
 * The operands in a pickle stream: numbers, texts and byte strings, each checked against what is left.
 * @module
 */
import { FacexError, type ErrorCode } from '../errors.js'

/** The stream ends in the middle. */
export class PickleTruncated extends FacexError {
  constructor(code: ErrorCode, position: number) {
    super(code, `pickle, byte ${position}: the data ends too early`)
  }
}

/** Bytes of the longest integer: conversion of longer ones takes more than linear time. */
const MAX_INTEGER_BYTES = 256
const MAX_INTEGER_DIGITS = 2 * MAX_INTEGER_BYTES
const NEWLINE = 10

export class PickleBytes {
  readonly #bytes: Buffer

  constructor(
    bytes: Uint8Array,
    /** Of errors. */
    readonly code: ErrorCode,
    public position = 0,
  ) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Moves on by `length` and returns where it was. */
  skip(length: number): number {
    const start = this.position
    if (!(length <= this.#bytes.length - start)) throw new PickleTruncated(this.code, start)
    this.position += length
    return start
  }

  uint8(): number {
    return this.#bytes[this.skip(1)]!
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.skip(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.skip(4))
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.skip(4))
  }

  /** A length; what is beyond exact numbers is beyond any file too. */
  uint64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.skip(8)))
  }

  /** Python writes floats big-endian. */
  float64(): number {
    return this.#bytes.readDoubleBE(this.skip(8))
  }

  /** A signed little-endian integer of `length` bytes. */
  long(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw new FacexError(this.code, `pickle, byte ${this.position}: an integer of ${length} bytes`)
    let value = 0n
    const start = this.skip(length)
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!)
    return exact(BigInt.asIntN(8 * length, value))
  }

  text(length: number): string {
    return this.#bytes.toString('utf8', this.skip(length), this.position)
  }

  /** A view, not a copy. */
  blob(length: number): Buffer {
    return this.#bytes.subarray(this.skip(length), this.position)
  }

  /** Up to the next newline, which is passed. */
  line(): string {
    const end = this.#bytes.indexOf(NEWLINE, this.position)
    if (end < 0) throw new PickleTruncated(this.code, this.position)
    const text = this.#bytes.toString('utf8', this.position, end)
    this.position = end + 1
    return text
  }

  /** `12`, `12L`, or a boolean of old protocols as `00` and `01`. */
  integerLine(): number | bigint | boolean {
    const text = this.line()
    if (text === '00' || text === '01') return text === '01'
    const digits = text.replace(/L$/, '')
    if (!/^-?\d+$/.test(digits) || digits.length > MAX_INTEGER_DIGITS) throw new FacexError(this.code, `pickle, byte ${this.position}: expected an integer`)
    return exact(BigInt(digits))
  }

  /** A quoted string of protocol 0; names of tensors need no escapes. */
  quotedLine(): string {
    const text = this.line()
    const quoted = /^(['"])([^\\]*)\1$/.exec(text)
    if (quoted === null) throw new FacexError(this.code, `pickle, byte ${this.position}: expected a plain quoted string`)
    return quoted[2]!
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
