/**
 * Reading and writing of safetensors files. Tensors stream one by one: nothing is held twice.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'

import type { NativeTensor } from '../../native.js'
import { checkTensors, type TensorInfo } from './dtype.js'
import { pieces, readAt, readPieces, withFile, writeAt, writeWhole } from './file-access.js'
import { decodeHeader, encodeHeader, headerLength, type Placed, type SafetensorsHeader } from './safetensors-header.js'

/** Reads the tensors whose name `wanted` accepts, and the metadata. Throws ERR_CHECKPOINT naming the file and what is wrong. */
export async function readSafetensors(
  file: string,
  wanted: (tensor: TensorInfo) => boolean = () => true,
): Promise<{ tensors: NativeTensor[]; metadata: ReadonlyMap<string, string> }> {
  return withFile(file, async (handle, size) => {
    const { header } = await readHeader(handle, size)
    const tensors: NativeTensor[] = []
    for (const place of header.tensors.filter(wanted)) tensors.push(await readTensor(handle, place))
    return { tensors, metadata: header.metadata }
  })
}

/** The checked header and its bytes. */
export async function readHeader(handle: FileHandle, size: number): Promise<{ header: SafetensorsHeader; bytes: Uint8Array }> {
  const first = new Uint8Array(8)
  await readAt(handle, first, 0)
  const bytes = new Uint8Array(headerLength(first, size))
  await readAt(handle, bytes, 0)
  return { header: decodeHeader(bytes, size), bytes }
}

/** The content of one tensor; `onPiece` sees its bytes in order. */
export async function readTensor(handle: FileHandle, place: Placed, onPiece?: (bytes: Uint8Array) => void): Promise<NativeTensor> {
  const data = await readPieces(handle, place.start, place.end - place.start, onPiece)
  return { name: place.name, dtype: place.dtype, shape: place.shape, data }
}

/** Writes a file that Python's safetensors reads; it appears whole or not at all. */
export async function writeSafetensors(file: string, tensors: readonly NativeTensor[], metadata: Readonly<Record<string, string>> = {}): Promise<void> {
  checkTensors(tensors)
  await writeWhole(file, async (handle) => {
    const { bytes, places } = encodeHeader(tensors, metadata)
    await writeAt(handle, bytes, 0)
    for (const [index, tensor] of tensors.entries()) await writeTensor(handle, tensor, places[index]!.start)
  })
}

/** Writes the content of one tensor at `position`; `onPiece` sees its bytes in order. */
export async function writeTensor(handle: FileHandle, tensor: NativeTensor, position: number, onPiece?: (bytes: Uint8Array) => void): Promise<void> {
  for (const { start, size } of pieces(tensor.data.byteLength)) {
    const bytes = new Uint8Array(tensor.data, start, size)
    onPiece?.(bytes)
    await writeAt(handle, bytes, position + start)
  }
}
