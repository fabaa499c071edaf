import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

import { AUGMENTATIONS, resolveAugmentations } from '../../lib/data/augment.js'
import { openDataset } from '../../lib/data/dataset.js'
import { inspectDataset, validateDataset } from '../../lib/data/validate.js'
import { addon } from '../../lib/native.js'
import { bytes, contentOf, drain, filesOf, labelsOf, loaderOf, picture, pictureFiles } from './pictures.js'

const ORDER = Uint32Array.from([3, 1, 0, 8, 5, 2, 9, 10, 4, 7, 6, 11, 1, 3])
const everything = resolveAugmentations(AUGMENTATIONS.map(({ name }) => ({ name, probability: 0.5 })))

t.test('batches hold the images of the order, decoded, with their labels', async (t) => {
  const source = await pictureFiles(t.testdir(), 12)
  const loader = loaderOf(source)
  loader.begin(ORDER, 0, 0)
  const batches = await drain(loader)
  t.equal(batches.length, 3, 'the short last batch is dropped')
  t.same(batches.flatMap((batch) => [...batch.indices]), [...ORDER.subarray(0, 12)])
  t.same(batches.flatMap(labelsOf), [...ORDER.subarray(0, 12)].map((index) => Math.floor(index / 3)))
  t.same(batches[0]!.images[0]!.shape, [4, 32, 32, 3])
  const first = await addon().decodeImage(await picture(3).jpeg().toBuffer(), 'bgr')
  t.same(bytes(batches[0]!.images[0]!).subarray(0, 32 * 32 * 3), bytes(first))
  loader.begin(ORDER, 0, 0, true)
  t.same((await drain(loader)).map((batch) => batch.labels.shape[0]), [4, 4, 4, 2], 'unless it is asked for')
  loader.dispose()
})

t.test('batches are the same for any number of threads, and from the middle of an epoch', async (t) => {
  const source = await pictureFiles(t.testdir(), 12)
  const all = async (threads: number, prefetch: number, firstBatch = 0, epoch = 4) => {
    const loader = loaderOf(source, { threads, prefetch, augmentations: everything })
    loader.begin(ORDER, epoch, firstBatch)
    const batches = await drain(loader)
    loader.dispose()
    return contentOf(batches)
  }
  const one = await all(1, 1)
  t.same(await all(2, 3), one)
  t.same(await all(4, 2), one)
  t.same(await all(3, 5, 1), one.slice(1))
  t.notSame(await all(1, 1, 0, 5), one, 'another epoch draws other numbers')
})

t.test('begin() leaves a half-read epoch', async (t) => {
  const source = await pictureFiles(t.testdir(), 12)
  const loader = loaderOf(source, { augmentations: everything })
  loader.begin(ORDER, 1, 0)
  const straight = contentOf(await drain(loader))
  loader.begin(ORDER, 0, 0)
  await loader.next()
  loader.begin(ORDER, 1, 0)
  t.same(contentOf(await drain(loader)), straight)
  t.equal(await loader.next(), undefined, 'the epoch has ended')
  loader.dispose()
})

t.test('the two views of a sample are batches of their own with common labels', async (t) => {
  const source = await pictureFiles(t.testdir(), 12)
  const loader = loaderOf(source, { views: 2, batchSize: 2 })
  loader.begin(Uint32Array.from([0, 1, 5, 4, 9, 10, 6, 7]), 0, 0)
  const batches = await drain(loader)
  t.equal(batches.length, 2)
  t.same(batches.map((batch) => batch.images.length), [2, 2])
  t.same([...batches[0]!.indices], [0, 5, 1, 4], 'view by view')
  t.same(labelsOf(batches[1]!), [3, 2])
  t.throws(() => loader.begin(Uint32Array.from([0, 1, 2]), 0, 0), { code: 'ERR_DATA', message: /whole samples of 2/ })
  loader.dispose()
})

t.test('files of another size are resized; the upper rows can be kept alone', async (t) => {
  const folder = t.testdir()
  writeFileSync(path.join(folder, '0.png'), await picture(0, 50, 40).png().toBuffer())
  const source = filesOf(folder, ['0.png'])
  const read = async (height: number, fullHeight?: number) => {
    const loader = loaderOf(source, { batchSize: 1, height, fullHeight })
    loader.begin(Uint32Array.from([0]), 0, 0)
    return (await drain(loader))[0]!.images[0]!
  }
  const full = await read(32)
  const expected = addon().resizeImage(await addon().decodeImage(await picture(0, 50, 40).png().toBuffer(), 'bgr'), 32, 32)
  t.same(bytes(full), bytes(expected))
  const upper = await read(20, 32)
  t.same(upper.shape, [1, 20, 32, 3])
  t.same(bytes(upper), bytes(full).subarray(0, 20 * 32 * 3))
})

t.test('a bad image stops with its path and reason, at the batch that needs it', async (t) => {
  const folder = t.testdir()
  const source = await pictureFiles(folder, 12)
  writeFileSync(path.join(folder, '5.jpg'), 'no image')
  const loader = loaderOf(source, { threads: 3 })
  loader.begin(ORDER, 0, 0)
  t.ok(await loader.next(), 'the batch before is fine')
  await t.rejects(loader.next(), { code: 'ERR_DATA', message: /5\.jpg: expected a JPEG or PNG image/ })
  t.ok(await loader.next(), 'and so is the one behind')
  loader.dispose()
})

t.test('a bad image can be skipped: the next good one of its class stands in, and it is reported once', async (t) => {
  const folder = t.testdir()
  const source = await pictureFiles(folder, 12)
  const good = await picture(1).jpeg().toBuffer()
  writeFileSync(path.join(folder, '1.jpg'), good.subarray(0, good.length / 2))
  writeFileSync(path.join(folder, '6.jpg'), '')
  for (const i of [9, 10, 11]) writeFileSync(path.join(folder, `${i}.jpg`), 'x')
  const read = async (threads: number) => {
    const loader = loaderOf(source, { threads, onBadImage: 'skip', batchSize: 3 })
    const indices: number[][] = []
    for (const epoch of [0, 1]) {
      loader.begin(Uint32Array.from([1, 6, 10]), epoch, 0)
      indices.push([...(await drain(loader))[0]!.indices])
    }
    const bad = loader.takeBadImages()
    t.same(loader.takeBadImages(), [])
    loader.dispose()
    return { indices, bad }
  }
  const { indices, bad } = await read(1)
  t.same(indices, [[2, 7, 0], [2, 7, 0]], 'a class without a good image is replaced by the next')
  t.same(bad.map((image) => path.basename(image.path)), ['1.jpg', '6.jpg', '9.jpg', '10.jpg', '11.jpg'])
  t.match(bad[0]!.reason, /damaged JPEG/)
  t.match(bad[1]!.reason, /the file is empty/)
  t.same(await read(3), { indices, bad })
})

t.test('wrong use is refused with words', async (t) => {
  const source = await pictureFiles(t.testdir(), 3)
  t.throws(() => loaderOf(source, { batchSize: 0 }), { code: 'ERR_CONFIG', message: /batch size of at least 1/ })
  t.throws(() => loaderOf(source, { threads: -1 }), { code: 'ERR_CONFIG' })
  t.throws(() => loaderOf(source, { augmentations: [{ name: 'flipp', probability: 1, values: {} }] }), { code: 'ERR_CONFIG', message: /flipp/ })
  t.throws(() => loaderOf({ ...source, labels: Int32Array.from([1]) }), { code: 'ERR_DATA', message: /3 paths and 1 labels/ })
  const loader = loaderOf(source)
  t.throws(() => loader.begin(Uint32Array.from([3]), 0, 0), { code: 'ERR_DATA', message: /below 3, got 3/ })
  t.equal(await loader.next(), undefined, 'before begin() there is no batch')
  loader.dispose()
  t.throws(() => loader.takeBadImages(), { code: 'ERR_DISPOSED' })
})

t.test('both sides of the border have the same table of augmentations', (t) => {
  t.same(addon().augmentationNames().sort(), AUGMENTATIONS.map(({ name }) => name).sort())
  t.end()
})

t.test('a data set is checked before training, all faults together with file and line', async (t) => {
  const folder = t.testdir()
  await pictureFiles(folder, 3)
  mkdirSync(path.join(folder, 'folder.jpg'))
  writeFileSync(path.join(folder, 'text.jpg'), 'some text')
  const list = path.join(folder, 'train.txt')
  writeFileSync(list, '0.jpg 0\n\nmissing.jpg 0\ntext.jpg 1\nfolder.jpg 1\n2.jpg 1\n')
  const data = await openDataset([{ kind: 'list', root: folder, list }])
  const problems = [/train.txt:3: missing.jpg: cannot open .*missing.jpg: No such file/, /train.txt:4: text.jpg: expected a JPEG/, /train.txt:5: folder.jpg: expected a file/]
  await t.rejects(validateDataset(data, { threads: 2 }), { code: 'ERR_DATA', problems: problems as never })
  t.same((await inspectDataset(data, { threads: 1 })).sizes, [{ width: 32, height: 32, count: 2 }])
})
