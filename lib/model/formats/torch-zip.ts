/**
 * The zip format of `torch.save`: `<name>/data.pkl` is the value, `<name>/data/<key>` the storages.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'

import { FacexError } from '../../errors.js'
import { readPieces } from './file-access.js'
import { unpickle } from '../../pickle/unpickle.js'
import { findTorchGlobal, storageOf } from './torch-globals.js'
import type { Locate } from './torch-tensor.js'
import { contentStart, readDirectory, verifyContent, type ZipEntry } from './zip.js'

const MAX_PICKLE_BYTES = 256 * 2 ** 20

export async function openTorchZip(handle: FileHandle, size: number): Promise<{ value: unknown; locate: Locate }> {
  const entries = await readDirectory(handle, size)
  const pickle = [...entries.values()].find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name)) ?? fail('the archive has no data.pkl: it was not written by torch.save')
  const folder = pickle.name.slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order !== undefined && Buffer.from(await readEntry(handle, order, size)).toString() !== 'little') {
    fail('the tensors are not little-endian: save them again on a little-endian machine')
  }
  const { value } = unpickle(await readEntry(handle, pickle, size), { code: 'ERR_CHECKPOINT', find: findTorchGlobal, persistent: storageOf })
  const places = new Map<string, { start: number; size: number }>()
  const locate: Locate = async (key) => {
    const known = places.get(key)
    if (known !== undefined) return known
    const entry = entries.get(`${folder}data/${key}`) ?? fail(`the data of storage ${key} is missing`)
    await verifyContent(handle, entry, size)
    const place = { start: await contentStart(handle, entry, size), size: entry.size }
    places.set(key, place)
    return place
  }
  return { value, locate }
}

/** A small entry as a whole, verified. */
async function readEntry(handle: FileHandle, entry: ZipEntry, fileSize: number): Promise<Uint8Array> {
  if (entry.size > MAX_PICKLE_BYTES) fail(`${entry.name} has ${entry.size} bytes, at most ${MAX_PICKLE_BYTES} are read`)
  await verifyContent(handle, entry, fileSize)
  return new Uint8Array(await readPieces(handle, await contentStart(handle, entry, fileSize), entry.size))
}

function fail(message: string): never {
  throw new FacexError('ERR_CHECKPOINT', message)
}
