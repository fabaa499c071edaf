/**
 * The little of the protocol buffer encoding that writing an ONNX file takes.
 * @module
 */

/** An encoded message or its fields, in order. */
export type Fields = readonly Buffer[]

/** Whole numbers: int64, int32 and enumerations. */
export function integer(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, 0), varint(BigInt.asUintN(64, BigInt(value)))])
}

export function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([tag(field, 5), bytes])
}

export function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value))
}

export function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(field, 2), varint(BigInt(value.length)), value])
}

export function message(field: number, fields: Fields): Buffer {
  return bytes(field, Buffer.concat(fields))
}

function tag(field: number, wireType: number): Buffer {
  return varint(BigInt((field << 3) | wireType))
}

function varint(value: bigint): Buffer {
  const result: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) result.push(Number(rest & 0x7fn) | 0x80)
  result.push(Number(rest))
  return Buffer.from(result)
}
