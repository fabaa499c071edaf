import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'

import t from 'tap'

import { FacexError } from '../../lib/errors.js'
import { writeCheckpoint } from '../../lib/model/checkpoint.js'
import { writeSafetensors } from '../../lib/model/formats/safetensors.js'
import { unpickle } from '../../lib/pickle/unpickle.js'
import { findTorchGlobal, storageOf } from '../../lib/model/formats/torch-globals.js'
import { endRecords, centralRecord, localHeader } from '../../lib/model/formats/zip-records.js'
import { loadWeights } from '../../lib/model/weights.js'
import { packageRoot } from '../../lib/setup/places.js'
import { checkpoint, randomOf } from './tensors.js'

const FOLDER = path.join(packageRoot(), 'test', 'model', 'fixtures', 'torch')
const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }
const ROUNDS = process.env['FACEX_ALL'] === '1' ? 20_000 : 400
/** No fixture has a tenth of this. */
const MAX_BYTES = 1_000_000

/** A copy with a few bytes changed, cut out, doubled or set to values that lengths like. */
function mutate(bytes: Buffer, random: (limit: number) => number): Buffer {
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

/** Reads the file; anything but success within bounds or a FacexError fails. */
async function attempt(file: string): Promise<string | undefined> {
  try {
    const { backbone, head } = await loadWeights(file, { head: true })
    const bytes = [...backbone, ...head].reduce((sum, tensor) => sum + tensor.data.byteLength, 0)
    return bytes > MAX_BYTES ? `${bytes} bytes came out` : undefined
  } catch (error) {
    return error instanceof FacexError ? undefined : String(error)
  }
}

async function seeds(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {}
  for (const name of ['types.pt', 'strided-legacy.pth', 'partial-fc.pt', 'face-zoo-legacy.pth', 'protocol4.pt']) files[name] = await readFile(path.join(FOLDER, name))
  await writeSafetensors(path.join(folder, 'a.safetensors'), checkpoint().tensors)
  await writeCheckpoint(path.join(folder, 'b.safetensors'), checkpoint())
  for (const name of ['a.safetensors', 'b.safetensors']) files[name] = await readFile(path.join(folder, name))
  return files
}

t.test('mutated files give an error or weights, never a crash, a hang or memory', { timeout: 1_200_000 }, async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'mutant')
  for (const [name, bytes] of Object.entries(await seeds(folder))) {
    const random = randomOf(bytes.length)
    const started = performance.now()
    let slowest = 0
    for (let round = 0; round < ROUNDS; round++) {
      const mutant = mutate(bytes, random)
      await writeFile(file, mutant)
      const before = performance.now()
      const problem = await attempt(file)
      slowest = Math.max(slowest, performance.now() - before)
      if (problem !== undefined) return t.fail(`${name}, round ${round}: ${problem}`)
    }
    t.ok(slowest < 20_000, `${name}: ${ROUNDS} mutants in ${Math.round(performance.now() - started)} ms`)
  }
})

t.test('mutated pickles, behind valid archives, never do anything but parse', async (t) => {
  const bytes = await readFile(path.join(FOLDER, 'face-zoo-legacy.pth'))
  const random = randomOf(3)
  const context = { code: 'ERR_CHECKPOINT' as const, find: findTorchGlobal, persistent: storageOf }
  for (let round = 0; round < 20 * ROUNDS; round++) {
    try {
      let end = 0
      const mutant = mutate(bytes, random)
      for (let i = 0; i < 5; i++) end = unpickle(mutant, context, end).end
    } catch (error) {
      if (!(error instanceof FacexError)) return t.fail(`round ${round}: ${String((error as Error).stack)}`)
    }
  }
  t.pass(`${20 * ROUNDS} pickles`)
})

t.test('pickles made to exhaust are stopped', async (t) => {
  const context = { code: 'ERR_CHECKPOINT' as const, find: findTorchGlobal, persistent: storageOf }
  const refuse = (bytes: Buffer, name: string) => t.throws(() => unpickle(bytes, context), ERROR, name)
  refuse(Buffer.alloc(3_000_000, '}'), 'millions of dicts')
  refuse(Buffer.alloc(3_000_000, '('), 'millions of marks')
  refuse(Buffer.from('X\xff\xff\xff\x7f', 'latin1'), 'a text longer than the file')
  refuse(Buffer.from('\x8e\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'), 'bytes longer than any file')
  refuse(Buffer.concat([Buffer.from('\x8b\x00\x00\x10\x00', 'latin1'), Buffer.alloc(2 ** 20)]), 'an integer of a million bytes')
  refuse(Buffer.from(`L${'9'.repeat(100_000)}L\n.`), 'an integer of many digits')
  const doubling = Buffer.from(`]${'q\x00(h\x00h\x00l'.repeat(200)}.`, 'latin1')
  t.ok(unpickle(doubling, context), 'a list of lists that would unfold to 2^200 stays small')
  const tensor = 'ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00J\x00\x00\x00\x7f\x85K\x00\x85\x89NtR.'
  t.ok(unpickle(Buffer.from(tensor, 'latin1'), context), 'a tensor of two thousand million times one element is described')
})

t.test('archives made to unfold are refused', async (t) => {
  const folder = t.testdir()
  const refuse = async (bytes: Buffer, message: RegExp) => {
    const file = path.join(folder, 'bomb.pt')
    await writeFile(file, bytes)
    await t.rejects(loadWeights(file), { ...ERROR, message })
  }
  const content = Buffer.alloc(1000, '.')
  const entry = (name: string, headerStart: number) => ({ name, size: content.length, crc32: crc32(content), headerStart })
  const archive = (entries: ReturnType<typeof entry>[], change: (directory: Buffer) => void = () => {}) => {
    const body = Buffer.concat([localHeader(entries[0]!), content])
    const directory = Buffer.concat(entries.map(centralRecord))
    change(directory)
    return Buffer.concat([body, directory, endRecords({ start: body.length, size: directory.length, count: entries.length })])
  }
  await refuse(archive([entry('a/data.pkl', 0), entry('a/data/0', 0)]), /overlaps/)
  await refuse(archive([entry('a/data.pkl', 0), entry('a/data.pkl', 0)]), /two entries/)
  await refuse(archive([entry('a/data.pkl', 0)], (directory) => directory.writeUInt16LE(8, 10)), /compressed/)
  await refuse(archive([entry('a/data.pkl', 0)], (directory) => directory.writeUInt32LE(2 ** 31, 24)), /compressed|overlaps|beyond/)
  await refuse(archive([entry('../../etc/passwd', 0)]), /no data\.pkl/)
  await refuse(archive([entry('a/data.pkl', 0)], (directory) => directory.writeUInt32LE(7, 16)), /checksum/)
})

t.test('a tensor that expands beyond the file is refused', async (t) => {
  const file = path.join(t.testdir(), 'expanded.pth')
  const count = '\x00\x00\x00\x7f'
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01NtQK\x00J${count}\x85K\x00\x85\x89NtR`
  const head = '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.'
  await writeFile(file, `${head}\x80\x02}(X\x01\x00\x00\x00w${tensor}u.\x80\x02]X\x01\x00\x00\x000a.\x01\x00\x00\x00\x00\x00\x00\x00abcd`, 'latin1')
  await t.rejects(loadWeights(file), { ...ERROR, message: /times the size of the file/ })
})

t.test('safetensors headers that lie are refused with the reason', async (t) => {
  const file = path.join(t.testdir(), 'lie.safetensors')
  const refuse = async (header: unknown, data: number, message: RegExp) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(json.length))
    await writeFile(file, Buffer.concat([length, json, Buffer.alloc(data)]))
    await t.rejects(loadWeights(file), { ...ERROR, message })
  }
  const entry = (shape: unknown, offsets: unknown, dtype = 'F32') => ({ dtype, shape, data_offsets: offsets })
  await refuse({ a: entry([2], [0, 4]) }, 4, /8 bytes, data_offsets say 4/)
  await refuse({ a: entry([2 ** 40, 2 ** 40], [0, 4]) }, 4, /data_offsets/)
  await refuse({ a: entry([-1], [0, 4]) }, 4, /shape/)
  await refuse({ a: entry([1], [4, 0]) }, 4, /data_offsets/)
  await refuse({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4, /expected its data at byte/)
  await refuse({ a: entry([1], [4, 8]) }, 8, /expected its data at byte/)
  await refuse({ a: entry([1], [0, 4]) }, 5, /the file has/)
  await refuse({ a: entry([1], [0, 4], 'X9') }, 4, /dtype/)
  await refuse({ __metadata__: { a: 1 } }, 0, /expected a string/)
  await refuse(`{${' '.repeat(10)}`, 0, /not JSON/)
  await refuse(`{"a":${'['.repeat(200_000)}`, 0, /not JSON/)
  await writeFile(file, Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('{}')]))
  await t.rejects(loadWeights(file), { ...ERROR, message: /the header says/ })
})
