import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'

import t from 'tap'

import { unpickle } from '../../lib/pickle/unpickle.js'
import { findTorchGlobal, storageOf } from '../../lib/model/formats/torch-globals.js'
import { endRecords, centralRecord, localHeader } from '../../lib/model/formats/zip-records.js'
import { loadWeights } from '../../lib/model/weights.js'
import { attempt, foreignReaders } from '../mutants.js'
import { randomOf } from './tensors.js'

const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }
const ROUNDS = process.env['FACEX_ALL'] === '1' ? 20_000 : 400

for (const target of foreignReaders(t.testdir())) {
  t.test(`mutants of ${target.name} give an error or a result of their size, never a crash, a hang or memory`, { timeout: 1_200_000 }, async (t) => {
    for (const seed of target.seeds) await target.read(target.wrap?.(Buffer.from(seed)) ?? seed)
    const random = randomOf(7)
    for (let round = 0; round < ROUNDS; round++) {
      const problem = await attempt(target, random)
      if (problem !== undefined) return t.fail(`round ${round}: ${problem}`)
    }
    t.pass(`${ROUNDS} mutants`)
  })
}

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
