/**
 * A small reader of TensorBoard event files, written from the format's description and not from the writer: it checks
 * lengths and checksums and returns what each event holds.
 * @module
 */
export interface ReadEvent {
  readonly wallTime: number
  readonly step: number
  readonly fileVersion?: string
  readonly restart: boolean
  readonly scalars: Record<string, number>
  readonly images: Record<string, { height: number; width: number; bytes: number }>
}

export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    checkSum(file.subarray(at, at + 8), file.readUInt32LE(at + 8))
    const content = file.subarray(at + 12, at + 12 + length)
    checkSum(content, file.readUInt32LE(at + 12 + length))
    events.push(readEvent(content))
    at += 16 + length
  }
  return events
}

function readEvent(content: Buffer): ReadEvent {
  const fields = readFields(content)
  const scalars: Record<string, number> = {}
  const images: ReadEvent['images'] = {}
  for (const value of fields.filter(([field]) => field === 5).flatMap(([, summary]) => readFields(summary as Buffer))) {
    const parts = new Map(readFields(value[1] as Buffer))
    const tag = String(parts.get(1))
    if (parts.has(2)) scalars[tag] = (parts.get(2) as Buffer).readFloatLE()
    if (parts.has(4)) {
      const image = new Map(readFields(parts.get(4) as Buffer))
      images[tag] = { height: image.get(1) as number, width: image.get(2) as number, bytes: (image.get(4) as Buffer).length }
    }
  }
  const one = new Map(fields)
  return {
    wallTime: (one.get(1) as Buffer).readDoubleLE(),
    step: (one.get(2) as number | undefined) ?? 0,
    ...(one.has(3) && { fileVersion: String(one.get(3)) }),
    restart: one.has(7),
    scalars,
    images,
  }
}

/** Field number and content: a number for varints, bytes for the rest. */
function readFields(bytes: Buffer): [number, Buffer | number][] {
  const fields: [number, Buffer | number][] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  const take = (length: number) => bytes.subarray(at, (at += length))
  while (at < bytes.length) {
    const key = varint()
    const wire = key & 7
    fields.push([key >> 3, wire === 0 ? varint() : wire === 1 ? take(8) : wire === 5 ? take(4) : take(varint())])
  }
  return fields
}

/** Bitwise CRC-32C, unmasked from the stored value. */
function checkSum(bytes: Buffer, stored: number): void {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  const expected = ~crc >>> 0
  const rotated = (stored - 0xa282ead8) >>> 0
  const found = ((rotated >>> 17) | (rotated << 15)) >>> 0
  if (found !== expected) throw new Error(`checksum ${found}, expected ${expected}`)
}
