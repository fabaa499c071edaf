/**
 * The format of `torch.save` before PyTorch 1.6: pickles of a magic number, a version, the system, the value and the
 * keys of the storages, one behind the other, then each storage: its number of elements and its content.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'

import { FacexError } from '../../errors.js'
import { ELEMENT_BYTES } from './dtype.js'
import { readAt } from './file-access.js'
import { PickleTruncated } from '../../pickle/pickle-bytes.js'
import { unpickle } from '../../pickle/unpickle.js'
import { findTorchGlobal, storageOf } from './torch-globals.js'
import type { Locate, TorchDType } from './torch-tensor.js'

const MAGIC = 0x1950a86a20f9469cfc6cn
const VERSION = 1001
const COUNT_BYTES = 8
/** The pickles are looked for in a growing part of the file, as their length stands nowhere. */
const FIRST_WINDOW = 2 ** 20
const MAX_WINDOW = 256 * 2 ** 20

interface Pickles {
  readonly value: unknown
  readonly keys: readonly string[]
  /** Element type by storage key. */
  readonly types: ReadonlyMap<string, TorchDType>
  readonly end: number
}

export async function openTorchStream(handle: FileHandle, size: number): Promise<{ value: unknown; locate: Locate }> {
  const { value, keys, types, end } = await readPickles(handle, size)
  const places = new Map<string, { start: number; size: number }>()
  let position = end
  for (const key of keys) {
    const type = types.get(key) ?? fail(`storage ${key} belongs to no tensor`)
    const count = Buffer.alloc(COUNT_BYTES)
    await readAt(handle, count, position)
    const place = { start: position + COUNT_BYTES, size: Number(count.readBigInt64LE()) * bytesOf(type) }
    if (place.size < 0 || place.start + place.size > size) fail(`storage ${key} has ${place.size} bytes from byte ${place.start}, the file has ${size}: it was cut off`)
    places.set(key, place)
    position = place.start + place.size
  }
  return { value, locate: async (key) => places.get(key) ?? fail(`the data of storage ${key} is missing`) }
}

async function readPickles(handle: FileHandle, size: number): Promise<Pickles> {
  for (let window = FIRST_WINDOW; ; window *= 2) {
    const bytes = new Uint8Array(Math.min(window, size))
    await readAt(handle, bytes, 0)
    try {
      return parsePickles(bytes)
    } catch (error) {
      if (!(error instanceof PickleTruncated) || window >= size || window >= MAX_WINDOW) throw error
    }
  }
}

function parsePickles(bytes: Uint8Array): Pickles {
  const types = new Map<string, TorchDType>()
  const persistent = (id: unknown) => {
    const storage = storageOf(id)
    types.set(storage.key, storage.dtype ?? 'uint8')
    return storage
  }
  let end = 0
  const next = () => {
    const result = unpickle(bytes, { code: 'ERR_CHECKPOINT', find: findTorchGlobal, persistent }, end)
    end = result.end
    return result.value
  }
  if (bytes[0] !== 0x80) fail('this is neither a safetensors file nor one written by torch.save')
  if (next() !== MAGIC || next() !== VERSION) fail('this pickle was not written by torch.save: save the state dict with it')
  const system = next()
  if (system instanceof Map && system.get('little_endian') === false) fail('the tensors are not little-endian: save them again on a little-endian machine')
  const value = next()
  const keys = next()
  if (!Array.isArray(keys)) fail('the list of storages is missing')
  return { value, keys: keys.map(String), types, end }
}

function bytesOf(type: TorchDType): number {
  switch (type) {
    case 'bool':
    case 'int8':
      return 1
    case 'int16':
      return 2
    default:
      return ELEMENT_BYTES[type]
  }
}

function fail(message: string): never {
  throw new FacexError('ERR_CHECKPOINT', message)
}
