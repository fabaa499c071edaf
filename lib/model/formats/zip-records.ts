/**
 * The records of a ZIP archive whose entries are stored plainly, for writing.
 * @module
 */
import { CENTRAL, END, END64, EXTRA_64, IN_64, LOCAL, LOCATOR64, type ZipEntry } from './zip.js'

export type StoredEntry = ZipEntry

/** Content starts at multiples of this, as PyTorch's memory mapping likes. */
const ALIGNMENT = 64
/** Version 4.5 of the format: 64-bit sizes. */
const VERSION = 45
const EXTRA_HEADER_BYTES = 4
/** PyTorch's own mark of padding, "FB". */
const EXTRA_PADDING = 0x4246

/** The header in front of an entry's content, padded so that the content is aligned. */
export function localHeader(entry: StoredEntry): Buffer {
  const name = Buffer.from(entry.name)
  const wide = entry.size >= IN_64 ? extra64([entry.size, entry.size]) : Buffer.alloc(0)
  const contentAt = entry.headerStart + LOCAL.length + name.length + wide.length + EXTRA_HEADER_BYTES
  const padding = Buffer.alloc(EXTRA_HEADER_BYTES + ((ALIGNMENT - (contentAt % ALIGNMENT)) % ALIGNMENT))
  padding.writeUInt16LE(EXTRA_PADDING, 0)
  padding.writeUInt16LE(padding.length - EXTRA_HEADER_BYTES, 2)
  const header = Buffer.alloc(LOCAL.length)
  header.writeUInt32LE(LOCAL.signature, 0)
  header.writeUInt16LE(VERSION, 4)
  writeCommon(header, 14, entry, name.length, wide.length + padding.length)
  return Buffer.concat([header, name, wide, padding])
}

/** The entry's row in the directory. */
export function centralRecord(entry: StoredEntry): Buffer {
  const name = Buffer.from(entry.name)
  const large = [...(entry.size >= IN_64 ? [entry.size, entry.size] : []), ...(entry.headerStart >= IN_64 ? [entry.headerStart] : [])]
  const wide = extra64(large)
  const record = Buffer.alloc(CENTRAL.length)
  record.writeUInt32LE(CENTRAL.signature, 0)
  record.writeUInt16LE(VERSION, 4)
  record.writeUInt16LE(VERSION, 6)
  writeCommon(record, 16, entry, name.length, wide.length)
  record.writeUInt32LE(Math.min(entry.headerStart, IN_64), 42)
  return Buffer.concat([record, name, wide])
}

/** What closes the archive: the 64-bit end record, its locator and the plain end record. */
export function endRecords({ start, size, count }: { start: number; size: number; count: number }): Buffer {
  const end64 = Buffer.alloc(END64.length)
  end64.writeUInt32LE(END64.signature, 0)
  end64.writeBigUInt64LE(BigInt(END64.length - 12), 4)
  end64.writeUInt16LE(VERSION, 12)
  end64.writeUInt16LE(VERSION, 14)
  for (const [at, value] of [[24, count], [32, count], [40, size], [48, start]] as const) end64.writeBigUInt64LE(BigInt(value), at)
  const locator = Buffer.alloc(LOCATOR64.length)
  locator.writeUInt32LE(LOCATOR64.signature, 0)
  locator.writeBigUInt64LE(BigInt(start + size), 8)
  locator.writeUInt32LE(1, 16)
  const end = Buffer.alloc(END.length)
  end.writeUInt32LE(END.signature, 0)
  end.writeUInt16LE(Math.min(count, 0xffff), 8)
  end.writeUInt16LE(Math.min(count, 0xffff), 10)
  end.writeUInt32LE(Math.min(size, IN_64), 12)
  end.writeUInt32LE(Math.min(start, IN_64), 16)
  return Buffer.concat([end64, locator, end])
}

/** Checksum, both sizes and the lengths of name and extra fields, which both headers have in this order. */
function writeCommon(record: Buffer, at: number, entry: StoredEntry, nameLength: number, extraLength: number): void {
  record.writeUInt32LE(entry.crc32, at)
  record.writeUInt32LE(Math.min(entry.size, IN_64), at + 4)
  record.writeUInt32LE(Math.min(entry.size, IN_64), at + 8)
  record.writeUInt16LE(nameLength, at + 12)
  record.writeUInt16LE(extraLength, at + 14)
}

function extra64(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0)
  const field = Buffer.alloc(EXTRA_HEADER_BYTES + 8 * values.length)
  field.writeUInt16LE(EXTRA_64, 0)
  field.writeUInt16LE(8 * values.length, 2)
  values.forEach((value, index) => field.writeBigUInt64LE(BigInt(value), EXTRA_HEADER_BYTES + 8 * index))
  return field
}
