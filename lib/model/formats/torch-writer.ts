/**
 * Writes files that `torch.load(file, weights_only=True)` reads: the zip format with a pickle of protocol 2.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

import type { NativeTensor } from '../../native.js'
import { checkTensors, elementCount, type DType } from './dtype.js'
import { pieces, writeAt, writeWhole } from './file-access.js'
import { writeTensor } from './safetensors.js'
import { centralRecord, endRecords, localHeader, type StoredEntry } from './zip-records.js'

/** The state dict and what stands beside it, such as FaceX-Zoo's `epoch` and `batch_id`. */
export interface TorchContent {
  readonly stateDict: readonly NativeTensor[]
  readonly values: Readonly<Record<string, number>>
}

/** Writes `{state_dict: OrderedDict, ...values}`; the file appears whole or not at all. */
export async function writeTorchFile(file: string, { stateDict, values }: TorchContent): Promise<void> {
  checkTensors(stateDict)
  await writeWhole(file, async (handle) => {
    const zip = new ZipWriter(handle)
    await zip.add('archive/data.pkl', wholeTensor('data.pkl', pickleOf(stateDict, values)))
    await zip.add('archive/byteorder', wholeTensor('byteorder', Buffer.from('little')))
    for (const [index, tensor] of stateDict.entries()) await zip.add(`archive/data/${index}`, tensor)
    await zip.add('archive/version', wholeTensor('version', Buffer.from('3\n')))
    await zip.finish()
  })
}

class ZipWriter {
  readonly #entries: StoredEntry[] = []
  #position = 0

  constructor(readonly handle: FileHandle) {}

  async add(name: string, content: NativeTensor): Promise<void> {
    let checksum = 0
    for (const { start, size } of pieces(content.data.byteLength)) checksum = crc32(new Uint8Array(content.data, start, size), checksum)
    const entry = { name, size: content.data.byteLength, crc32: checksum, headerStart: this.#position }
    const header = localHeader(entry)
    await writeAt(this.handle, header, this.#position)
    await writeTensor(this.handle, content, this.#position + header.length)
    this.#position += header.length + entry.size
    this.#entries.push(entry)
  }

  async finish(): Promise<void> {
    const directory = Buffer.concat(this.#entries.map(centralRecord))
    const end = endRecords({ start: this.#position, size: directory.length, count: this.#entries.length })
    await writeAt(this.handle, Buffer.concat([directory, end]), this.#position)
  }
}

function wholeTensor(name: string, bytes: Uint8Array): NativeTensor {
  return { name, dtype: 'uint8', shape: [bytes.length], data: Uint8Array.from(bytes).buffer }
}

const STORAGES: Readonly<Record<DType, string>> = {
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  uint8: 'ByteStorage',
}

const EMPTY_ORDERED_DICT = 'ccollections\nOrderedDict\n)R'

/** Storage `i` holds tensor `i`. */
function pickleOf(stateDict: readonly NativeTensor[], values: Readonly<Record<string, number>>): Buffer {
  const tensors = stateDict.flatMap((tensor, index) => [text(tensor.name), pickledTensor(tensor, String(index))])
  const others = Object.entries(values).flatMap(([name, value]) => [text(name), number(value)])
  const dict = [raw(`${EMPTY_ORDERED_DICT}(`), ...tensors, raw('u')]
  return Buffer.concat([raw('\x80\x02}('), text('state_dict'), ...dict, ...others, raw('u.')])
}

/** `torch._utils._rebuild_tensor_v2(storage, 0, shape, stride, False, OrderedDict())`. */
function pickledTensor({ dtype, shape }: NativeTensor, key: string): Buffer {
  const storage = [raw('('), text('storage'), raw(`ctorch\n${STORAGES[dtype]}\n`), text(key), text('cpu'), number(elementCount(shape)), raw('tQ')]
  const layout = [number(0), tuple(shape), tuple(strides(shape))]
  return Buffer.concat([raw('ctorch._utils\n_rebuild_tensor_v2\n('), ...storage, ...layout, raw(`\x89${EMPTY_ORDERED_DICT}tR`)])
}

function strides(shape: readonly number[]): number[] {
  let step = 1
  return shape
    .toReversed()
    .map((dim) => {
      const stride = step
      step *= Math.max(dim, 1)
      return stride
    })
    .reverse()
}

function tuple(values: readonly number[]): Buffer {
  return Buffer.concat([raw('('), ...values.map(number), raw('t')])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([raw('X'), uint32(bytes.length), bytes])
}

/** BININT, LONG1 or, for what is no integer, BINFLOAT. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  if (!Number.isSafeInteger(value)) {
    bytes.writeDoubleBE(value)
    return Buffer.concat([raw('G'), bytes])
  }
  if (value === (value | 0)) {
    bytes.writeInt32LE(value)
    return Buffer.concat([raw('J'), bytes.subarray(0, 4)])
  }
  bytes.writeBigInt64LE(BigInt(value))
  return Buffer.concat([raw('\x8a\x08'), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function raw(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1')
}
