/**
 * Reading and writing of large files in pieces, and files that appear whole or not at all.
 *
 * Pieces keep the event loop free between them and stay below the limits of a single read or write, so that a tensor
 * may be larger than 2 GiB. Every error names the file.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { FacexError } from '../../errors.js'

/** Bytes moved at a time: some milliseconds of work. */
const PIECE = 4 * 2 ** 20

const PARTIAL = /^\..+\.[0-9a-f]{12}\.partial$/

/** Whether a file of this name is what a crash left of {@link writeWhole}. */
export function isPartial(name: string): boolean {
  return PARTIAL.test(name)
}

/** Splits `[0, length)` into pieces. */
export function* pieces(length: number): Generator<{ start: number; size: number }> {
  for (let start = 0; start < length; start += PIECE) yield { start, size: Math.min(PIECE, length - start) }
}

/** Writes all of `bytes` at `position`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
}

/** Fills `bytes` from `position`. Throws ERR_CHECKPOINT when the file ends before. */
export async function readAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await handle.read(bytes, done, bytes.byteLength - done, position + done)
    if (bytesRead === 0) throw new FacexError('ERR_CHECKPOINT', `the file ends at byte ${position + done}, expected ${position + bytes.byteLength}`)
    done += bytesRead
  }
}

/** Reads `length` bytes from `position` piece by piece; `onPiece` sees each in order. */
export async function readPieces(handle: FileHandle, position: number, length: number, onPiece?: (bytes: Uint8Array) => void): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(length)
  for (const { start, size } of pieces(length)) {
    const bytes = new Uint8Array(buffer, start, size)
    await readAt(handle, bytes, position + start)
    onPiece?.(bytes)
  }
  return buffer
}

/**
 * Opens a regular file for `read`, closes it afterwards, and puts the file's name in front of every error.
 * @throws FacexError ERR_CHECKPOINT when it cannot be opened or `read` fails
 */
export async function withFile<T>(file: string, read: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const stats = await handle.stat()
    if (!stats.isFile()) throw new FacexError('ERR_CHECKPOINT', 'expected a file')
    return await read(handle, stats.size)
  } catch (error) {
    throw named(file, error)
  } finally {
    await handle?.close()
  }
}

/**
 * Makes `file` with what `write` puts into it. Until that is complete and on the disk the file keeps its old content or
 * stays absent, whatever happens: the content is written aside in the same folder, synchronised and renamed.
 * @throws FacexError ERR_CHECKPOINT when the disk is full, the folder is read-only and so on; nothing is left behind
 */
export async function writeWhole(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const folder = path.dirname(file)
  const aside = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.partial`)
  let handle: FileHandle | undefined
  try {
    handle = await open(aside, 'wx')
    await write(handle)
    await handle.sync()
    await handle.close()
    handle = undefined
    await rename(aside, file)
    await syncFolder(folder)
  } catch (error) {
    await handle?.close().catch(() => {})
    await rm(aside, { force: true }).catch(() => {})
    throw named(file, error)
  }
}

/** Makes a rename last through a power failure. Windows cannot open folders and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full; free space or name another folder',
  EDQUOT: 'the disk quota is used up; free space or name another folder',
  EROFS: 'the folder is read-only; name another one',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'expected a file, found a folder',
  ENOTDIR: 'a part of the path is not a folder',
}

function named(file: string, error: unknown): FacexError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new FacexError(error instanceof FacexError ? error.code : 'ERR_CHECKPOINT', `${file}: ${reason}`, { cause: error })
}
