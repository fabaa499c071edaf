import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

import { openDataset } from '../../lib/data/dataset.js'
import { encodeRecord, imageRecord, RecordWriter } from '../../lib/data/record-writer.js'
import { indexFileOf, openRecords } from '../../lib/data/records.js'
import { addon } from '../../lib/native.js'
import { bytes, drain, labelsOf, loaderOf, picture } from './pictures.js'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

t.test("a record is the format's bytes: magic number, length, header, label, ids, content, padding", (t) => {
  const record = encodeRecord(imageRecord(5, 3, Buffer.from('abc')))
  t.equal(
    record.toString('hex'),
    hex('0a23d7ce 1b000000 00000000 00004040 0500000000000000 0000000000000000 616263 00').toString('hex'),
  )
  const labels = imageRecord(0, [7, 8], Buffer.alloc(0))
  t.equal(labels.toString('hex'), hex('02000000 00000000 0000000000000000 0000000000000000 0000e040 00000041').toString('hex'))
  t.end()
})

t.test('content that holds the magic number is split there, and joined again', async (t) => {
  const magic = hex('0a23d7ce')
  const record = encodeRecord(Buffer.concat([Buffer.from('1234'), magic, Buffer.from('5678'), magic, magic, Buffer.from('9')]))
  const expected = '0a23d7ce 04000020 31323334 0a23d7ce 04000040 35363738 0a23d7ce 00000040 0a23d7ce 01000060 39 000000'
  t.equal(record.toString('hex'), expected.replaceAll(' ', ''))
  const file = path.join(t.testdir(), 'a.rec')
  const contents = [magic, Buffer.concat([magic, Buffer.from('x')]), Buffer.concat([Buffer.from('ab'), magic]), Buffer.concat([Buffer.from('abcd'), magic, magic])]
  const writer = new RecordWriter(file, contents.length)
  contents.forEach((content) => writer.add(0, content))
  writer.close()
  const { positions } = await addon().indexRecords(file, indexFileOf(file))
  t.same([...positions].map((position) => addon().readRecord(file, position).toString('hex')), contents.map((content) => content.toString('hex')))
})

t.test('a record file trains like the files that it was made of, with and without its index', async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'train.rec')
  const images = await Promise.all(Array.from({ length: 6 }, (_, i) => picture(i).jpeg().toBuffer()))
  const writer = new RecordWriter(file, images.length)
  images.forEach((image, i) => writer.add(Math.floor(i / 3), image))
  writer.close()
  for (const indexed of [true, false]) {
    if (!indexed) rmSync(indexFileOf(file))
    const set = await openRecords(file)
    t.same([...set.labels], [0, 0, 0, 1, 1, 1])
    t.same(set.classNames, ['train.rec#0', 'train.rec#1'])
    t.same(set.problems, [])
    t.equal(set.notes.length, indexed ? 0 : 1)
    const loader = loaderOf(set.source, { batchSize: 2 })
    loader.begin(Uint32Array.from([4, 0]), 0, 0)
    const [batch] = await drain(loader)
    t.same(labelsOf(batch!), [1, 0])
    t.same(bytes(batch!.images[0]!).subarray(0, 32 * 32 * 3), bytes(await addon().decodeImage(images[4]!, 'bgr')))
    loader.dispose()
  }
})

t.test('labels may be vectors, and headers may be missing', async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'plain.rec')
  writeFileSync(file, Buffer.concat([encodeRecord(imageRecord(0, 1, Buffer.from('one'))), encodeRecord(imageRecord(1, [0, 77], Buffer.from('two')))]))
  const set = await openRecords(file)
  t.same([...set.labels], [1, 0])
  t.same(set.problems, [])
})

t.test('damage is reported with its place and never read over', async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'train.rec')
  const writer = new RecordWriter(file, 3)
  for (const label of [0, 1, 1]) writer.add(label, Buffer.alloc(50, label))
  writer.close()
  const good = readFileSync(file)
  writeFileSync(file, good.subarray(0, good.length - 20))
  await t.rejects(openDataset([{ kind: 'record', file }]), { code: 'ERR_DATA', message: /train.rec at byte \d+: the record at byte \d+ is cut off/ })
  writeFileSync(indexFileOf(file), '0\t0\n1 40\n')
  await t.rejects(openRecords(file), { code: 'ERR_DATA', message: /train.idx:2: expected "key<tab>position"/ })
  writeFileSync(file, '')
  await t.rejects(openRecords(file), { code: 'ERR_DATA', message: /the record file is empty/ })
  let state = 9
  const below = (n: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  rmSync(indexFileOf(file))
  for (let round = 0; round < 300; round++) {
    const data = Buffer.from(good)
    for (let change = below(4); change >= 0; change--) data[below(data.length)] = below(256)
    writeFileSync(file, data)
    await openRecords(file).catch((error: { code?: string }) => t.equal(error.code, 'ERR_DATA'))
  }
  t.pass('random mutations do no more than throw')
})
