/**
 * Element types of tensors at rest, and their sizes.
 * @module
 */
import { FacexError } from '../../errors.js'
import type { NativeTensor } from '../../native.js'

export type DType = NativeTensor['dtype']

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = {
  float64: 8,
  int64: 8,
  float32: 4,
  int32: 4,
  bfloat16: 2,
  float16: 2,
  uint8: 1,
}

/** What a file says about one tensor, without its content. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Elements of a tensor of this shape; 1 for a scalar. NaN when a dimension is no count or the product is not exact. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return Number.NaN
    count *= dim
  }
  return Number.isSafeInteger(count) ? count : Number.NaN
}

/** Bytes of the content; NaN as in {@link elementCount}. */
export function byteLength(tensor: TensorInfo): number {
  return elementCount(tensor.shape) * ELEMENT_BYTES[tensor.dtype]
}

/** Throws ERR_CHECKPOINT when two tensors share a name or the content of one has not the size of its shape. */
export function checkTensors(tensors: readonly NativeTensor[]): void {
  const names = new Set<string>()
  for (const tensor of tensors) {
    if (names.has(tensor.name)) throw new FacexError('ERR_CHECKPOINT', `${tensor.name}: two tensors have this name`)
    names.add(tensor.name)
    if (tensor.data.byteLength !== byteLength(tensor)) {
      const expected = `${byteLength(tensor)} bytes for ${tensor.dtype} [${tensor.shape.join(', ')}]`
      throw new FacexError('ERR_CHECKPOINT', `${tensor.name}: expected ${expected}, received ${tensor.data.byteLength}`)
    }
  }
}
