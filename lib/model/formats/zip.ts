/**
 * The part of ZIP that PyTorch uses: entries stored without compression, with 64-bit sizes where needed.
 *
 * Nothing is unpacked to a path: names are keys. Compressed, encrypted or overlapping entries are refused, so no file
 * can hold more than its own size.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

import { FacexError } from '../../errors.js'
import { pieces, readAt } from './file-access.js'

export interface ZipEntry {
  readonly name: string
  readonly size: number
  readonly crc32: number
  /** Where the local header starts. */
  readonly headerStart: number
}

/** Signatures of the records, and their fixed lengths. */
export const LOCAL = { signature: 0x04034b50, length: 30 }
export const CENTRAL = { signature: 0x02014b50, length: 46 }
export const END = { signature: 0x06054b50, length: 22 }
export const END64 = { signature: 0x06064b50, length: 56 }
export const LOCATOR64 = { signature: 0x07064b50, length: 20 }
/** Says that the value stands in the 64-bit field. */
export const IN_64 = 0xffffffff
export const EXTRA_64 = 1

const MAX_DIRECTORY_BYTES = 64 * 2 ** 20
const MAX_COMMENT_BYTES = 65_535

/** All entries by name. Throws ERR_CHECKPOINT when the archive is damaged or not of this kind. */
export async function readDirectory(handle: FileHandle, fileSize: number): Promise<Map<string, ZipEntry>> {
  const { start, size, count } = await findDirectory(handle, fileSize)
  if (size > MAX_DIRECTORY_BYTES || start + size > fileSize) fail(`a directory of ${size} bytes at byte ${start} in a file of ${fileSize}`)
  const bytes = Buffer.alloc(size)
  await readAt(handle, bytes, start)
  const entries = new Map<string, ZipEntry>()
  for (let at = 0; at < size; ) {
    const { entry, next } = decodeEntry(bytes, at)
    if (entries.has(entry.name)) fail(`two entries are named ${entry.name}`)
    entries.set(entry.name, entry)
    at = next
  }
  if (entries.size !== count) fail(`the directory has ${entries.size} entries, expected ${count}`)
  checkOverlap([...entries.values()], start)
  return entries
}

/** First byte of the content. Throws ERR_CHECKPOINT when the entry's own header is damaged. */
export async function contentStart(handle: FileHandle, entry: ZipEntry, fileSize: number): Promise<number> {
  const header = Buffer.alloc(LOCAL.length)
  await readAt(handle, header, entry.headerStart)
  if (header.readUInt32LE(0) !== LOCAL.signature) fail(`${entry.name}: its header is damaged`)
  const start = entry.headerStart + LOCAL.length + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (start + entry.size > fileSize) fail(`${entry.name}: it ends beyond the file`)
  return start
}

/** Throws ERR_CHECKPOINT when the content does not have the checksum that the directory says. */
export async function verifyContent(handle: FileHandle, entry: ZipEntry, fileSize: number): Promise<void> {
  const start = await contentStart(handle, entry, fileSize)
  let checksum = 0
  for (const piece of pieces(entry.size)) {
    const bytes = Buffer.alloc(piece.size)
    await readAt(handle, bytes, start + piece.start)
    checksum = crc32(bytes, checksum)
  }
  if (checksum !== entry.crc32) fail(`${entry.name}: it is damaged: its checksum is wrong`)
}

/** The end record lies at the end, before a comment at most. */
async function findDirectory(handle: FileHandle, fileSize: number): Promise<{ start: number; size: number; count: number }> {
  const tail = Buffer.alloc(Math.min(fileSize, END.length + MAX_COMMENT_BYTES + LOCATOR64.length))
  await readAt(handle, tail, fileSize - tail.length)
  for (let at = tail.length - END.length; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END.signature || at + END.length + tail.readUInt16LE(at + 20) !== tail.length) continue
    const locator = at - LOCATOR64.length
    if (locator >= 0 && tail.readUInt32LE(locator) === LOCATOR64.signature) return readEnd64(handle, readUint64(tail, locator + 8))
    return { start: tail.readUInt32LE(at + 16), size: tail.readUInt32LE(at + 12), count: tail.readUInt16LE(at + 10) }
  }
  return fail('the directory at the end is missing: the file was cut off')
}

async function readEnd64(handle: FileHandle, position: number): Promise<{ start: number; size: number; count: number }> {
  const record = Buffer.alloc(END64.length)
  await readAt(handle, record, position)
  if (record.readUInt32LE(0) !== END64.signature) fail('the directory at the end is damaged')
  return { start: readUint64(record, 48), size: readUint64(record, 40), count: readUint64(record, 32) }
}

function decodeEntry(bytes: Buffer, at: number): { entry: ZipEntry; next: number } {
  if (at + CENTRAL.length > bytes.length || bytes.readUInt32LE(at) !== CENTRAL.signature) fail('the directory is damaged')
  const nameEnd = at + CENTRAL.length + bytes.readUInt16LE(at + 28)
  const extraEnd = nameEnd + bytes.readUInt16LE(at + 30)
  const next = extraEnd + bytes.readUInt16LE(at + 32)
  if (next > bytes.length) fail('the directory is damaged')
  const name = bytes.toString('utf8', at + CENTRAL.length, nameEnd)
  if ((bytes.readUInt16LE(at + 8) & 1) !== 0) fail(`${name}: it is encrypted`)
  if (bytes.readUInt16LE(at + 10) !== 0) fail(`${name}: it is compressed, PyTorch stores plainly`)
  const wide = extra64(bytes.subarray(nameEnd, extraEnd))
  const field = (offset: number) => {
    const value = bytes.readUInt32LE(at + offset)
    return value === IN_64 ? (wide.shift() ?? fail(`${name}: its 64-bit size is missing`)) : value
  }
  const size = field(24)
  if (field(20) !== size) fail(`${name}: it is compressed, PyTorch stores plainly`)
  return { entry: { name, size, crc32: bytes.readUInt32LE(at + 16), headerStart: field(42) }, next }
}

/** The values of the 64-bit extra field, in its order: size, stored size, header start. */
function extra64(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    const end = Math.min(at + 4 + length, extra.length)
    if (extra.readUInt16LE(at) === EXTRA_64) {
      const values: number[] = []
      for (let value = at + 4; value + 8 <= end; value += 8) values.push(readUint64(extra, value))
      return values
    }
    at += 4 + length
  }
  return []
}

/** Entries that share bytes would let a small file hold much. */
function checkOverlap(entries: readonly ZipEntry[], directoryStart: number): void {
  const sorted = entries.toSorted((a, b) => a.headerStart - b.headerStart)
  sorted.forEach((entry, index) => {
    const end = entry.headerStart + LOCAL.length + Buffer.byteLength(entry.name) + entry.size
    if (end > (sorted[index + 1]?.headerStart ?? directoryStart)) fail(`${entry.name}: it overlaps another entry`)
  })
}

function readUint64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : fail(`a size of ${value} bytes`)
}

function fail(message: string): never {
  throw new FacexError('ERR_CHECKPOINT', `zip: ${message}`)
}
