/**
 * Reads what `torch.save` writes: the zip format of PyTorch 1.6 and later and the stream before it. Nothing in the file
 * is executed. Content of tensors is read when asked for.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'

import { FacexError } from '../../errors.js'
import type { NativeTensor } from '../../native.js'
import { ELEMENT_BYTES, elementCount, type DType } from './dtype.js'
import { readAt, readPieces, withFile } from './file-access.js'
import { openTorchStream } from './torch-stream.js'
import type { TorchTensor } from './torch-tensor.js'
import { openTorchZip } from './torch-zip.js'
import { LOCAL } from './zip.js'

/** An open file: its value with {@link TorchTensor} leaves, and the way to their content. */
export interface TorchFile {
  readonly value: unknown
  read(name: string, tensor: TorchTensor): Promise<NativeTensor>
}

/** Content may be shared between tensors, but not without limit: a file must not unfold to many times its size. */
const MAX_UNFOLDING = 4

/** Opens `file`, hands it to `use` and closes it. Throws ERR_CHECKPOINT naming the file and what is wrong. */
export async function withTorchFile<T>(file: string, use: (file: TorchFile) => Promise<T>): Promise<T> {
  return withFile(file, async (handle, size) => {
    const { value, locate } = (await startsAsZip(handle, size)) ? await openTorchZip(handle, size) : await openTorchStream(handle, size)
    let budget = MAX_UNFOLDING * size
    const read = async (name: string, tensor: TorchTensor): Promise<NativeTensor> => {
      const dtype = plainType(name, tensor)
      budget -= elementCount(tensor.shape) * ELEMENT_BYTES[dtype]
      if (budget < 0) throw new FacexError('ERR_CHECKPOINT', `${name}: the tensors would have more than ${MAX_UNFOLDING} times the size of the file`)
      const place = await locate(tensor.storage.key)
      return { name, dtype, shape: tensor.shape, data: await readStrided(handle, name, tensor, ELEMENT_BYTES[dtype], place) }
    }
    return use({ value, read })
  })
}

async function startsAsZip(handle: FileHandle, size: number): Promise<boolean> {
  const signature = Buffer.alloc(Math.min(4, size))
  await readAt(handle, signature, 0)
  return signature.length === 4 && signature.readUInt32LE() === LOCAL.signature
}

/** The type under which a tensor travels on: booleans are bytes. */
function plainType(name: string, { dtype }: TorchTensor): DType {
  if (dtype === 'bool') return 'uint8'
  if (dtype === 'int8' || dtype === 'int16') throw new FacexError('ERR_CHECKPOINT', `${name}: elements of type ${dtype} cannot be used`)
  return dtype
}

/** The elements in row-major order; only the part of the storage that the tensor looks at is read. */
async function readStrided(handle: FileHandle, name: string, tensor: TorchTensor, elementBytes: number, place: { start: number; size: number }): Promise<ArrayBuffer> {
  const { shape, stride } = tensor
  const count = elementCount(shape)
  if (count === 0) return new ArrayBuffer(0)
  const first = (tensor.storage.offset + tensor.offset) * elementBytes
  const span = shape.reduce((sum, dim, axis) => sum + (dim - 1) * stride[axis]!, 1)
  if (first + span * elementBytes > place.size) {
    throw new FacexError('ERR_CHECKPOINT', `${name}: it reaches to byte ${first + span * elementBytes} of a storage of ${place.size}`)
  }
  const data = await readPieces(handle, place.start + first, span * elementBytes)
  return isContiguous(shape, stride) ? data : gather(data, shape, stride, elementBytes)
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

function gather(source: ArrayBuffer, shape: readonly number[], stride: readonly number[], elementBytes: number): ArrayBuffer {
  const View = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[elementBytes]!
  const from = new View(source)
  const to = new View(elementCount(shape))
  const position = shape.map(() => 0)
  let at = 0
  for (let i = 0; i < to.length; i++) {
    to[i] = from[at]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!
      if (++position[axis]! < shape[axis]!) break
      at -= stride[axis]! * shape[axis]!
      position[axis] = 0
    }
  }
  return to.buffer as ArrayBuffer
}
