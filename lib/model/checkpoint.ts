/**
 * A checkpoint: one file that holds everything a run needs to go on, or a model to be used.
 *
 * The file is a safetensors file, so any program that reads those can read the weights: `backbone.*`, `head.*`,
 * `optimizer.<slot>.<parameter>` and the networks of other modes. `__metadata__` describes the run as JSON and carries
 * checksums of the header and of every tensor: each single flipped bit and every cut is found when it is read.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

import { FacexError } from '../errors.js'
import type { NativeTensor } from '../native.js'
import { decodeMeta, encodeMeta, type CheckpointMeta } from './checkpoint-meta.js'
import { checkTensors, type TensorInfo } from './formats/dtype.js'
import { withFile, writeAt, writeWhole } from './formats/file-access.js'
import { encodeHeader, type SafetensorsHeader } from './formats/safetensors-header.js'
import { readHeader, readTensor, writeTensor } from './formats/safetensors.js'

export type { CheckpointMeta } from './checkpoint-meta.js'

export interface Checkpoint {
  readonly tensors: readonly NativeTensor[]
  readonly meta: CheckpointMeta
}

/** Version of the record, raised when an older facex could not read it. */
const VERSION = '1'

/*
 * [Note: checksum of the header]
 * The header holds its own checksum, so that is taken with eight zeros in its place. It stands first, at a fixed
 * distance from the start of the file, which makes the place certain without trusting the JSON.
 */
const HEADER_START = '{"__metadata__":{"crc32_header":"'
const CHECKSUM_AT = 8 + HEADER_START.length
const EMPTY = '00000000'

/**
 * Writes a checkpoint; the file appears whole or not at all, and an older one of that name stays until then.
 *
 * The tensors must not change until the promise settles. Reading, checksums and writing go in pieces of some
 * milliseconds, in between the event loop runs.
 * @throws FacexError ERR_CHECKPOINT when the disk is full, the folder read-only and so on
 */
export async function writeCheckpoint(file: string, { tensors, meta }: Checkpoint): Promise<void> {
  checkTensors(tensors)
  const text = encodeMeta(meta)
  const checksums = new Map(tensors.map((tensor) => [tensor.name, EMPTY]))
  const header = () =>
    encodeHeader(tensors, { crc32_header: EMPTY, facex: VERSION, format: 'pt', crc32_tensors: JSON.stringify([...checksums]), meta: text })
  await writeWhole(file, async (handle) => {
    const { places } = header()
    for (const [index, tensor] of tensors.entries()) {
      let checksum = 0
      await writeTensor(handle, tensor, places[index]!.start, (bytes) => (checksum = crc32(bytes, checksum)))
      checksums.set(tensor.name, hex(checksum))
    }
    const { bytes } = header()
    bytes.write(hex(crc32(bytes)), CHECKSUM_AT)
    await writeAt(handle, bytes, 0)
  })
}

/**
 * Reads and verifies a checkpoint.
 * @param wanted chooses tensors; the others are neither read nor verified
 * @throws FacexError ERR_CHECKPOINT when the file is missing, damaged, of a newer version or no checkpoint
 */
export async function readCheckpoint(file: string, wanted: (tensor: TensorInfo) => boolean = () => true): Promise<Checkpoint> {
  return withFile(file, async (handle, size) => {
    const { header, meta, checksums } = await readVerifiedHeader(handle, size)
    const tensors: NativeTensor[] = []
    for (const place of header.tensors.filter(wanted)) {
      let checksum = 0
      tensors.push(await readTensor(handle, place, (bytes) => (checksum = crc32(bytes, checksum))))
      if (hex(checksum) !== checksums.get(place.name)) throw new FacexError('ERR_CHECKPOINT', `the data of ${place.name} is damaged: its checksum is wrong`)
    }
    return { tensors, meta }
  })
}

/** What a checkpoint says about itself; only the header is read and verified. */
export async function readCheckpointMeta(file: string): Promise<{ meta: CheckpointMeta; tensors: readonly TensorInfo[] }> {
  return withFile(file, async (handle, size) => {
    const { header, meta } = await readVerifiedHeader(handle, size)
    return { meta, tensors: header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })) }
  })
}

/** Whether a safetensors file is a checkpoint of facex; says nothing about damage. */
export function isCheckpoint(metadata: ReadonlyMap<string, string>): boolean {
  return metadata.has('facex')
}

interface VerifiedHeader {
  readonly header: SafetensorsHeader
  readonly meta: CheckpointMeta
  /** By name of the tensor. */
  readonly checksums: ReadonlyMap<string, string>
}

async function readVerifiedHeader(handle: FileHandle, size: number): Promise<VerifiedHeader> {
  const { header, bytes } = await readHeader(handle, size)
  verifyHeader(Buffer.from(bytes.buffer), header)
  const meta = decodeMeta(header.metadata.get('meta') ?? '')
  const checksums = new Map(JSON.parse(header.metadata.get('crc32_tensors') ?? '[]') as [string, string][])
  return { header, meta, checksums }
}

/** See [Note: checksum of the header]. */
function verifyHeader(bytes: Buffer, { metadata }: SafetensorsHeader): void {
  const version = metadata.get('facex')
  if (version === undefined || bytes.toString('latin1', 8, CHECKSUM_AT) !== HEADER_START) {
    throw new FacexError('ERR_CHECKPOINT', 'this safetensors file holds weights only, it is no checkpoint of facex')
  }
  const expected = bytes.toString('latin1', CHECKSUM_AT, CHECKSUM_AT + EMPTY.length)
  bytes.write(EMPTY, CHECKSUM_AT)
  if (hex(crc32(bytes)) !== expected) throw new FacexError('ERR_CHECKPOINT', 'the header is damaged: its checksum is wrong')
  if (version !== VERSION) throw new FacexError('ERR_CHECKPOINT', `expected a checkpoint of version ${VERSION}, found ${version}: it needs another facex`)
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(EMPTY.length, '0')
}
