/**
 * Damaged files for every reader, in TypeScript, of what strangers wrote: tests read some, `npm run fuzz` as many as time
 * allows.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'

import { parseBinFile } from '../lib/data/bin-file.js'
import { readMatVariable } from '../lib/data/mat-file.js'
import { FacexError } from '../lib/errors.js'
import { npyHeader } from '../lib/evaluation/npy.js'
import { readNpy } from '../lib/evaluation/npy-reader.js'
import { encodeMeta } from '../lib/model/checkpoint-meta.js'
import { encodeHeader } from '../lib/model/formats/safetensors-header.js'
import { centralRecord, endRecords, localHeader } from '../lib/model/formats/zip-records.js'
import { loadWeights } from '../lib/model/weights.js'
import { packageRoot } from '../lib/setup/places.js'
import { checkpoint } from './model/tensors.js'

type Random = (limit: number) => number

/** A reader and files that it reads. */
export interface ForeignReader {
  readonly name: string
  readonly seeds: readonly Buffer[]
  /** What makes a mutant whole again on the outside, so that it gets past checksums. */
  readonly wrap?: (mutant: Buffer) => Buffer
  /** Bytes of content that came out. */
  read(file: Buffer): Promise<number> | number
}

/** Content may take this much of a file's size, and everything a little. */
const MOST = { factor: 8, bytes: 65_536, ms: 10_000 }

/** Reads one mutant; says what is wrong where that was anything but a result of moderate size or an error on purpose. */
export async function attempt({ seeds, wrap = (mutant) => mutant, read }: ForeignReader, random: Random): Promise<string | undefined> {
  const file = wrap(mutate(seeds[random(seeds.length)]!, random))
  const described = () => `${file.length} bytes ${file.length < 20_000 ? file.toString('base64') : ''}`
  const begin = performance.now()
  try {
    const bytes = await read(file)
    if (bytes > MOST.factor * file.length + MOST.bytes) return `${bytes} bytes came out of ${described()}`
  } catch (error) {
    if (!(error instanceof FacexError) || isMistake(error.cause)) return `${String((error as Error).stack)}\ncaused by ${String((error as Error).cause)}\n${described()}`
  }
  const ms = performance.now() - begin
  return ms > MOST.ms ? `${ms.toFixed(0)} ms for ${described()}` : undefined
}

/** An error that a reader only passed on, putting the file's name in front: a mistake of the reader's own. */
function isMistake(cause: unknown): boolean {
  return cause instanceof Error && !(cause instanceof FacexError) && !('code' in cause) && !(cause instanceof SyntaxError)
}

/** A copy with a few bytes changed, cut out, doubled or set to values that lengths like. */
function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated = Buffer.from(bytes)
  for (let changes = 1 + random(4); changes > 0 && mutated.length > 0; changes--) {
    const at = random(mutated.length)
    const kind = random(6)
    if (kind === 0) mutated[at]! ^= 1 << random(8)
    else if (kind === 1) mutated[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)]!
    else if (kind === 2) mutated.fill(0xff, at, Math.min(at + 4, mutated.length))
    else if (kind === 3) mutated = mutated.subarray(0, at)
    else if (kind === 4) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + random(16))])
    else mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(random(at + 1), at), mutated.subarray(at)])
  }
  return mutated
}

const fixture = (...parts: string[]) => readFileSync(path.join(packageRoot(), 'test', ...parts))
const torchFile = (name: string) => fixture('model', 'fixtures', 'torch', name)

/** @param folder for the files that readers open by name */
export function foreignReaders(folder: string): readonly ForeignReader[] {
  const weights = async (bytes: Buffer) => {
    const { backbone, head } = await loadWeights(written(folder, bytes), { head: true })
    return [...backbone, ...head].reduce((sum, { data }) => sum + data.byteLength, 0)
  }
  const archives = ['types.pt', 'partial-fc.pt', 'protocol4.pt', 'strided.pt', 'face-zoo.pt'].map(torchFile)
  return [
    { name: 'torch-zip', seeds: archives, read: weights },
    { name: 'torch-legacy', seeds: ['types-legacy.pth', 'strided-legacy.pth', 'face-zoo-legacy.pth'].map(torchFile), read: weights },
    { name: 'torch-pickle', seeds: archives.map(pickleOf), wrap: archiveAround, read: weights },
    { name: 'safetensors', seeds: [safetensors({ note: 'from afar' })], read: weights },
    { name: 'checkpoint', seeds: [checkpointFile()], wrap: withChecksum, read: weights },
    { name: 'bin', seeds: [binFile()], read: (bytes) => parseBinFile(bytes).images.reduce((sum, image) => sum + image.length, 0) },
    { name: 'mat', seeds: ['agedb.mat', 'agedb-compressed.mat'].map((name) => fixture('data', 'fixtures', name)), read: (bytes) => JSON.stringify(readMatVariable(bytes, 'splits')).length / 8 },
    { name: 'npy', seeds: [Buffer.concat([npyHeader(3, 4), Buffer.alloc(48, 1)])], read: async (bytes) => (await readNpy(written(folder, bytes))).data.byteLength },
  ]
}

function written(folder: string, bytes: Buffer): string {
  const file = path.join(folder, 'mutant')
  writeFileSync(file, bytes)
  return file
}

/** The content of data.pkl, which PyTorch writes first. */
function pickleOf(archive: Buffer): Buffer {
  const start = archive.indexOf('data.pkl') + 'data.pkl'.length + archive.readUInt16LE(28)
  return archive.subarray(start, archive.indexOf('PK', start, 'latin1'))
}

/** An archive with this pickle and room for every tensor that one of the seeds has. */
function archiveAround(pickle: Buffer): Buffer {
  const contents: [string, Buffer][] = [['a/data.pkl', pickle], ...Array.from({ length: 16 }, (_, i): [string, Buffer] => [`a/data/${i}`, Buffer.alloc(512, i)])]
  const parts: Buffer[] = []
  let position = 0
  const entries = contents.map(([name, content]) => {
    const entry = { name, size: content.length, crc32: crc32(content), headerStart: position }
    const header = localHeader(entry)
    parts.push(header, content)
    position += header.length + content.length
    return entry
  })
  const directory = Buffer.concat(entries.map(centralRecord))
  return Buffer.concat([...parts, directory, endRecords({ start: position, size: directory.length, count: entries.length })])
}

function safetensors(metadata: Readonly<Record<string, string>>): Buffer {
  const { tensors } = checkpoint()
  const { bytes, places } = encodeHeader(tensors, metadata)
  const file = Buffer.concat([bytes, Buffer.alloc(places.reduce((end, place) => Math.max(end, place.end), 0) - bytes.length)])
  places.forEach(({ start }, i) => Buffer.from(tensors[i]!.data).copy(file, start))
  return file
}

/** Where the checksum of a checkpoint's header stands, and what it is taken with. */
const CHECKSUM = { start: 8 + '{"__metadata__":{"crc32_header":"'.length, empty: '00000000' }

function checkpointFile(): Buffer {
  const { tensors, meta } = checkpoint()
  const checksums = tensors.map(({ name, data }) => [name, crc32(new Uint8Array(data)).toString(16).padStart(8, '0')])
  return safetensors({ crc32_header: CHECKSUM.empty, facex: '1', format: 'pt', crc32_tensors: JSON.stringify(checksums), meta: encodeMeta(meta) })
}

/** The right checksum of the header, wherever that ends now. */
function withChecksum(mutant: Buffer): Buffer {
  if (mutant.length < CHECKSUM.start + 8) return mutant
  const length = 8 + Math.min(mutant.length - 8, Number(mutant.readBigUInt64LE()))
  mutant.write(CHECKSUM.empty, CHECKSUM.start, 'latin1')
  mutant.write(crc32(mutant.subarray(0, length)).toString(16).padStart(8, '0'), CHECKSUM.start, 'latin1')
  return mutant
}

/** [images, same] as Python 3 pickles it: two byte strings, one truth value. */
function binFile(): Buffer {
  const image = [0x43, 4, 1, 2, 3, 4]
  return Buffer.from([0x80, 4, 0x5d, 0x28, ...image, ...image, 0x65, 0x5d, 0x28, 0x88, 0x65, 0x86, 0x2e])
}
