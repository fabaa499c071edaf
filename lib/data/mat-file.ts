/**
 * MATLAB's MAT-files of level 5 (versions 5 to 7, compressed or not): texts, numbers, cells and structures, as much as
 * the lists of face data sets use. Sparse and complex arrays, objects and functions are refused, and so is version 7.3,
 * which is HDF5. Format: MathWorks, "MAT-File Format".
 * @module
 */
import { inflateSync } from 'node:zlib'

import { FacexError } from '../errors.js'

/** An array of MATLAB; `items` are in its order, columns first. */
export type MatValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'numbers'; readonly dims: readonly number[]; readonly items: readonly number[] }
  | { readonly kind: 'cell'; readonly dims: readonly number[]; readonly items: readonly MatValue[] }
  /** Each item holds the values of all fields. */
  | { readonly kind: 'struct'; readonly dims: readonly number[]; readonly fields: readonly string[]; readonly items: readonly (readonly MatValue[])[] }

const HEADER = 128
const MATRIX = 14
const COMPRESSED = 15
const CLASS = { cell: 1, struct: 2, text: 4, firstNumeric: 6, lastNumeric: 15 } as const
const COMPLEX = 0x0800
/** No list of pairs comes near these. */
const MOST_BYTES = 2 ** 28
/** Lists of texts shrink to a tenth or so; what unfolds to much more is made to fill the memory. */
const MOST_UNFOLDING = 100
const DEEPEST = 16

/** How the numbers of an element are stored, by the type in its tag. */
const STORAGE: ReadonlyMap<number, { readonly bytes: number; readonly read: (view: DataView, at: number) => number }> = new Map([
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  [5, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { bytes: 4, read: (view, at) => view.getUint32(at, true) }],
  [7, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [9, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
  [12, { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) }],
  [13, { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) }],
  [16, { bytes: 1, read: (view, at) => view.getUint8(at) }], // UTF-8
  [17, { bytes: 2, read: (view, at) => view.getUint16(at, true) }], // UTF-16
])
const UTF8 = 16

interface Element {
  readonly type: number
  readonly content: Buffer
}

/**
 * The variable `name` of a file.
 * @throws FacexError ERR_DATA for anything else than such a file, and for a variable that is not there
 */
export function readMatVariable(file: Buffer, name: string): MatValue {
  checkHeader(file)
  const names: string[] = []
  for (const element of elements(file.subarray(HEADER))) {
    const { type, content } = element.type === COMPRESSED ? inflated(element.content) : element
    if (type !== MATRIX) continue
    const parts = elements(content)
    const head = [...take(parts, 3)]
    names.push(head[2]?.content.toString('latin1') ?? '')
    if (names.at(-1) === name) return readMatrix(content, 0)
  }
  throw wrong(`expected the variable "${name}", found ${names.length === 0 ? 'none' : names.join(', ')}`)
}

function checkHeader(file: Buffer): void {
  if (file.toString('latin1', 0, 10) === 'MATLAB 7.3') throw wrong('a MAT-file of version 7.3 (HDF5): save it with -v7 in MATLAB')
  const version = file.length >= HEADER ? file.readUInt16LE(124) : 0
  const order = file.toString('latin1', 126, HEADER)
  if (version !== 0x0100 || order !== 'IM') throw wrong('expected a little-endian MAT-file of level 5 (version 5 to 7)')
}

function* elements(data: Buffer): Generator<Element> {
  for (let at = 0; at + 8 <= data.length; ) {
    const tag = data.readUInt32LE(at)
    const small = tag >>> 16
    const type = small === 0 ? tag : tag & 0xffff
    const length = small === 0 ? data.readUInt32LE(at + 4) : small
    const start = at + (small === 0 ? 8 : 4)
    if (start + length > data.length || (small !== 0 && length > 4)) throw wrong('the file ends in the middle of an element')
    yield { type, content: data.subarray(start, start + length) }
    if (small !== 0) at += 8
    else at = start + length + (type === COMPRESSED ? 0 : (8 - (length % 8)) % 8)
  }
}

function inflated(content: Buffer): Element {
  try {
    const [element] = take(elements(inflateSync(content, { maxOutputLength: Math.min(MOST_BYTES, 2 ** 16 + MOST_UNFOLDING * content.length) })), 1)
    if (element !== undefined) return element
  } catch (cause) {
    throw wrong('a compressed element is damaged or too large', cause)
  }
  throw wrong('a compressed element is empty')
}

function* take(from: Iterator<Element>, count: number): Generator<Element> {
  for (let i = 0; i < count; i++) {
    const { value, done } = from.next()
    if (done) return
    yield value as Element
  }
}

function readMatrix(content: Buffer, depth: number): MatValue {
  if (content.length === 0) return { kind: 'numbers', dims: [0, 0], items: [] }
  if (depth > DEEPEST) throw wrong(`cells and structures deeper than ${DEEPEST}`)
  const parts = elements(content)
  const next = () => {
    const { value, done } = parts.next()
    if (done) throw wrong('the file ends in the middle of an array')
    return value as Element
  }
  const flags = numbersOf(next())[0] ?? 0
  const dims = numbersOf(next())
  next() // its name
  const count = dims.reduce((product, size) => product * size, 1)
  if (dims.length < 2 || !dims.every((size) => Number.isInteger(size) && size >= 0) || count > MOST_BYTES) throw wrong(`an array of size ${dims.join(' x ')}`)
  const nested = () => {
    const { type, content: inner } = next()
    if (type !== MATRIX) throw wrong('expected an array in a cell or structure')
    return readMatrix(inner, depth + 1)
  }
  const kind = flags & 0xff
  if (kind === CLASS.cell) return { kind: 'cell', dims, items: many(count, nested) }
  if (kind === CLASS.struct) {
    const fields = fieldNames(numbersOf(next())[0] ?? 0, next().content)
    return { kind: 'struct', dims, fields, items: fields.length === 0 ? [] : many(count, () => many(fields.length, nested)) }
  }
  if (kind === CLASS.text) return { kind: 'text', text: textOf(next()) }
  if (kind < CLASS.firstNumeric || kind > CLASS.lastNumeric || (flags & COMPLEX) !== 0) throw wrong('expected texts, real numbers, cells and structures only')
  return { kind: 'numbers', dims, items: numbersOf(next()) }
}

/** Unlike `Array.from`, stops at the first error before room is made for all. */
function many<T>(count: number, one: () => T): T[] {
  const items: T[] = []
  while (items.length < count) items.push(one())
  return items
}

function numbersOf({ type, content }: Element): number[] {
  const storage = STORAGE.get(type)
  if (storage === undefined) throw wrong(`numbers stored as type ${type}`)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  return Array.from({ length: Math.floor(content.length / storage.bytes) }, (_, i) => storage.read(view, i * storage.bytes))
}

function textOf(element: Element): string {
  return element.type === UTF8 ? element.content.toString('utf8') : numbersOf(element).map((code) => String.fromCharCode(code)).join('')
}

/** Names of equal length, filled up with zeros. */
function fieldNames(length: number, content: Buffer): string[] {
  if (length === 0) return []
  if (!Number.isInteger(length) || length < 0) throw wrong(`names of fields of ${length} letters`)
  return Array.from({ length: Math.floor(content.length / length) }, (_, i) => content.toString('latin1', i * length, (i + 1) * length).replace(/\0.*$/s, ''))
}

function wrong(text: string, cause?: unknown): FacexError {
  return new FacexError('ERR_DATA', text, { cause })
}
