/**
 * The header of a safetensors file: eight bytes of length, then JSON that says name, element type, shape and place of
 * every tensor, and `__metadata__`, a mapping of strings.
 *
 * The header is not trusted: every size is checked against the file before anything is allocated.
 * @module
 */
import { FacexError, received } from '../../errors.js'
import { byteLength, ELEMENT_BYTES, type DType, type TensorInfo } from './dtype.js'

/** Where the content of a tensor lies, in bytes from the start of the file. */
export interface Placed extends TensorInfo {
  readonly start: number
  readonly end: number
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: readonly Placed[]
  readonly metadata: ReadonlyMap<string, string>
}

/** The Python package refuses longer ones. */
export const MAX_HEADER_BYTES = 100_000_000
const LENGTH_BYTES = 8

const NAMES: Readonly<Record<DType, string>> = {
  float64: 'F64',
  int64: 'I64',
  float32: 'F32',
  int32: 'I32',
  bfloat16: 'BF16',
  float16: 'F16',
  uint8: 'U8',
}
const DTYPES = new Map<string, DType>([...Object.entries(NAMES).map(([dtype, name]) => [name, dtype as DType] as const), ['BOOL', 'uint8']])

/**
 * Makes the bytes in front of the data, and the place of each tensor.
 *
 * The entries keep the order of `tensors`; the data lies in order of element size, so that every tensor is aligned.
 */
export function encodeHeader(tensors: readonly TensorInfo[], metadata: Readonly<Record<string, string>>): { bytes: Buffer; places: Placed[] } {
  const starts = new Map<TensorInfo, number>()
  let end = 0
  for (const tensor of tensors.toSorted((a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype])) {
    starts.set(tensor, end)
    end += byteLength(tensor)
  }
  const entries = tensors.map((tensor) => {
    const start = starts.get(tensor)!
    return [tensor.name, { dtype: NAMES[tensor.dtype], shape: tensor.shape, data_offsets: [start, start + byteLength(tensor)] }] as const
  })
  const json = Buffer.from(toJson([['__metadata__', metadata], ...entries]))
  const length = Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES
  if (length > MAX_HEADER_BYTES) throw new FacexError('ERR_CHECKPOINT', `the header would have ${length} bytes, at most ${MAX_HEADER_BYTES} are allowed`)
  const bytes = Buffer.alloc(LENGTH_BYTES + length, ' ')
  bytes.writeBigUInt64LE(BigInt(length))
  json.copy(bytes, LENGTH_BYTES)
  const places = tensors.map((tensor) => {
    const start = bytes.length + starts.get(tensor)!
    return { ...tensor, start, end: start + byteLength(tensor) }
  })
  return { bytes, places }
}

/** An object in the given order: JavaScript's own would move names that look like numbers to the front. */
function toJson(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

/** Length of the whole header, from its first eight bytes. */
export function headerLength(first: Uint8Array, fileSize: number): number {
  const length = Number(Buffer.from(first).readBigUInt64LE())
  if (length > MAX_HEADER_BYTES || LENGTH_BYTES + length > fileSize) {
    fail(`the header says that it has ${length} bytes, the file has ${fileSize}`)
  }
  return LENGTH_BYTES + length
}

/** Checks and decodes the header. `fileSize` must be what the tensors fill without holes or overlap. */
export function decodeHeader(bytes: Uint8Array, fileSize: number): SafetensorsHeader {
  const json = parse(bytes.subarray(LENGTH_BYTES))
  const tensors: Placed[] = []
  let metadata: ReadonlyMap<string, string> = new Map()
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') metadata = decodeMetadata(value)
    else tensors.push(decodeEntry(name, value, bytes.length))
  }
  checkPlaces(tensors, bytes.length, fileSize)
  return { tensors, metadata }
}

function parse(bytes: Uint8Array): object {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw new FacexError('ERR_CHECKPOINT', 'the header is not JSON: this is no safetensors file, or it is damaged', { cause: error })
  }
  if (!isObject(json)) fail(`expected the header to be an object, found ${received(json)}`)
  return json
}

function decodeMetadata(value: unknown): Map<string, string> {
  if (!isObject(value)) fail(`__metadata__: expected an object of strings, found ${received(value)}`)
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') fail(`__metadata__.${key}: expected a string, found ${received(text)}`)
  }
  return new Map(Object.entries(value) as [string, string][])
}

function decodeEntry(name: string, value: unknown, dataStart: number): Placed {
  if (!isObject(value)) fail(`${name}: expected an object, found ${received(value)}`)
  const { dtype: code, shape, data_offsets: offsets } = value as Record<string, unknown>
  const dtype = DTYPES.get(String(code))
  if (dtype === undefined) fail(`${name}: expected dtype ${[...DTYPES.keys()].join(', ')}, found ${received(code)}`)
  if (!isCounts(shape)) fail(`${name}: expected a shape of counts, found ${received(shape)}`)
  if (!isCounts(offsets) || offsets.length !== 2) fail(`${name}: expected data_offsets [start, end], found ${received(offsets)}`)
  const [start, end] = offsets as [number, number]
  const expected = byteLength({ name, dtype, shape })
  if (end - start !== expected) fail(`${name}: ${String(code)} [${shape.join(', ')}] has ${expected} bytes, data_offsets say ${end - start}`)
  return { name, dtype, shape, start: dataStart + start, end: dataStart + end }
}

/** The tensors must fill the data exactly: a hole could hide content, an overlap could multiply it. */
function checkPlaces(tensors: readonly Placed[], dataStart: number, fileSize: number): void {
  let end = dataStart
  for (const tensor of tensors.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== end) fail(`${tensor.name}: expected its data at byte ${end}, data_offsets say ${tensor.start}`)
    end = tensor.end
  }
  if (end !== fileSize) fail(`the header describes ${end} bytes, the file has ${fileSize}${fileSize < end ? ': it was cut off' : ''}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function fail(message: string): never {
  throw new FacexError('ERR_CHECKPOINT', message)
}
