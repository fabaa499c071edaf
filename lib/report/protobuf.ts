/**
 * The few pieces of the protocol-buffer encoding that TensorBoard's events are made of. Each function returns one field
 * with its key; a message is the fields behind each other.
 * @module
 */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

export function doubleField(field: number, value: number): Buffer {
  const content = Buffer.alloc(8)
  content.writeDoubleLE(value)
  return Buffer.concat([key(field, FIXED64), content])
}

export function floatField(field: number, value: number): Buffer {
  const content = Buffer.alloc(4)
  content.writeFloatLE(value)
  return Buffer.concat([key(field, FIXED32), content])
}

/** A non-negative integer up to 2^53. */
export function integerField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, VARINT), varint(value)])
}

/** Text, raw bytes, or a message given as its fields. */
export function bytesField(field: number, content: string | Uint8Array | readonly Uint8Array[]): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : Buffer.concat(content)
  return Buffer.concat([key(field, BYTES), varint(bytes.length), bytes])
}

function key(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType)
}

/** Seven bits a byte, lowest first; the top bit says that more follow. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
