/**
 * The elements of a tensor as numbers, for comparisons.
 * @module
 */
import type { NativeTensor } from '../../lib/native.js'

export function numbersOf({ dtype, data }: NativeTensor): number[] {
  switch (dtype) {
    case 'float64':
      return [...new Float64Array(data)]
    case 'float32':
      return [...new Float32Array(data)]
    case 'int64':
      return [...new BigInt64Array(data)].map(Number)
    case 'int32':
      return [...new Int32Array(data)]
    case 'uint8':
      return [...new Uint8Array(data)]
    case 'float16':
      return [...new Uint16Array(data)].map(halfToNumber)
    case 'bfloat16':
      return [...new Float32Array(Uint32Array.from(new Uint16Array(data), (bits) => bits << 16).buffer)]
  }
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
