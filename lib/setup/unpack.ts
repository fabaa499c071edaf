/**
 * Takes out of a PyTorch wheel or libtorch archive what facex needs (libraries and headers) and leaves the rest.
 * @module
 */
import { createWriteStream, mkdirSync } from 'node:fs'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'

import { openPromise, type Entry, type ZipFile } from 'yauzl'

import { FacexError, messageOf } from '../errors.js'

/** Kept parts: torch itself, libraries bundled beside it, and NVIDIA's libraries of the CUDA wheels. */
const KEPT = /^(torch\/(include|lib|share\/cmake)\/|torch\/(version\.py|build-version)$|torch\.libs\/|nvidia\/)/
/** Of no use without Python, or for tests of PyTorch only. */
const DROPPED = /^torch\/lib\/(.*(torch_python|shm|jitbackend_test|torchbind_test|backend_with_compiler|aoti_custom_ops).*|.*\.a)$/

/**
 * Unpacks `archive` into `folder`, checking every file's checksum. Archives named `libtorch/` end up as `torch/` too.
 * @throws FacexError ERR_SETUP when the archive is damaged
 */
export async function unpackTorch(archive: string, folder: string): Promise<void> {
  let zip: ZipFile | undefined
  try {
    zip = await openPromise(archive)
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName.replace(/^libtorch\//, 'torch/')
      if (!name.endsWith('/') && KEPT.test(name) && !DROPPED.test(name)) await unpackEntry(zip, entry, path.join(folder, name))
    }
  } catch (error) {
    throw new FacexError('ERR_SETUP', `${archive}: not a complete wheel or zip archive: ${messageOf(error)}`, { cause: error })
  } finally {
    zip?.close()
  }
}

async function unpackEntry(zip: ZipFile, entry: Entry, file: string): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true })
  let checksum = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      checksum = crc32(chunk, checksum)
      done(null, chunk)
    },
  })
  await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(file))
  if (checksum !== entry.crc32) throw new Error(`${entry.fileName} does not match its checksum`)
}
