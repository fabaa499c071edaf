import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'

import { resolveAugmentations } from '../../lib/data/augment.js'
import { run as dataset } from '../../lib/commands/dataset.js'
import { openDataset } from '../../lib/data/dataset.js'
import { alignPhotographs } from '../../lib/data/tools/align.js'
import { packDataset, unpackDataset } from '../../lib/data/tools/pack.js'
import { contactSheet } from '../../lib/data/tools/preview.js'
import { sourceAt } from '../../lib/data/tools/source-at.js'
import { splitDataset } from '../../lib/data/tools/split.js'
import { summarise } from '../../lib/data/tools/summary.js'
import { picture } from './pictures.js'

/** Class folders a (1 image), b (3), c (5). */
async function folders(root: string): Promise<string> {
  let seed = 0
  for (const [name, count] of Object.entries({ a: 1, b: 3, c: 5 })) {
    mkdirSync(path.join(root, name))
    for (let i = 0; i < count; i++) writeFileSync(path.join(root, name, `${i}.jpg`), await picture(seed++).jpeg().toBuffer())
  }
  return root
}

t.test('packing and unpacking keep every byte and the classes', async (t) => {
  const folder = t.testdir({ faces: {} })
  const root = await folders(path.join(folder, 'faces'))
  const target = path.join(folder, 'out')
  const dataset = await openDataset([sourceAt(root)])
  await packDataset(dataset, path.join(target, 'train.rec'))
  const packed = await openDataset([sourceAt(path.join(target, 'train.rec'))])
  t.same([...packed.labels], [...dataset.labels])
  await unpackDataset(packed, path.join(target, 'files'))
  t.equal(readFileSync(path.join(target, 'files', 'train.txt'), 'utf8').split('\n')[1], '1/000000001.jpg 1')
  t.same(readFileSync(path.join(target, 'files', '2', '000000004.jpg')), readFileSync(path.join(root, 'c', '0.jpg')))
  const again = await openDataset([sourceAt(path.join(target, 'files', 'train.txt'))])
  t.same([...again.labels], [...dataset.labels])
  await t.rejects(packDataset(dataset, path.join(target, 'train.rec')), { code: 'ERR_DATA', message: /exists already/ }, 'an existing file stays')
  await t.rejects(unpackDataset(packed, path.join(target, 'files')), { code: 'ERR_DATA', message: /expected a new or an empty folder/ })
})

t.test('an image that cannot be packed is named by the line of its list, and nothing half-written stays', async (t) => {
  const root = await folders(t.testdir())
  const list = path.join(root, 'train.txt')
  writeFileSync(list, 'a/0.jpg 0\n\nb/none.jpg 1\n')
  const dataset = await openDataset([sourceAt(list)])
  const file = path.join(root, 'train.rec')
  await t.rejects(packDataset(dataset, file), { code: 'ERR_DATA', message: /^\S+train.txt:3: b\/none.jpg: the image cannot be read: ENOENT/ })
  t.same(readdirSync(root).filter((name) => name.startsWith('train.rec')), [])
  const mixed = await openDataset([sourceAt(path.join(root)), sourceAt(list)])
  await t.rejects(unpackDataset(mixed, path.join(root, 'out')), { message: /^\S+train.txt:3: b\/none.jpg: / })
})

t.test('a summary counts images, identities and sizes', async (t) => {
  const dataset = await openDataset([sourceAt(await folders(t.testdir()))])
  const { images, identities, perIdentity, histogram, sizes, badImages } = await summarise(dataset, { threads: 2, full: true })
  t.same({ images, identities, perIdentity }, { images: 9, identities: 3, perIdentity: { min: 1, median: 3, mean: 3, max: 5 } })
  t.same(histogram.map((bin) => bin.identities), [1, 1, 1])
  t.same(sizes, [{ width: 32, height: 32, count: 9 }])
  t.same(badImages, [])
})

t.test('splits keep identities together, or take K images of each', async (t) => {
  const dataset = await openDataset([sourceAt(await folders(t.testdir()))])
  const lines = (text: string) => text.split('\n').filter((line) => line !== '')
  const byIdentity = splitDataset(dataset, { fraction: 0.67, seed: 1 })
  const namesOf = (text: string) => new Set(lines(text).map((line) => line[0]))
  t.equal(namesOf(byIdentity.chosen).size, 2)
  t.equal(namesOf(byIdentity.rest).size, 1)
  t.equal(lines(byIdentity.chosen).length + lines(byIdentity.rest).length, 9)
  const shallow = splitDataset(dataset, { perIdentity: 2, seed: 1 })
  t.same(lines(shallow.chosen).map((line) => `${line[0]}${line.at(-1)}`), ['b0', 'b0', 'c1', 'c1'], 'labels start from 0 again')
  t.equal(lines(shallow.rest).length, 4)
  t.same(splitDataset(dataset, { perIdentity: 2, seed: 1 }), shallow)
  t.throws(() => splitDataset(dataset, { seed: 1 }), { code: 'ERR_USAGE' })
  t.throws(() => splitDataset(dataset, { fraction: 2, seed: 1 }), { code: 'ERR_USAGE' })
})

t.test('a contact sheet is a PNG of originals and augmented samples', async (t) => {
  const root = await folders(t.testdir())
  const dataset = await openDataset([sourceAt(root)])
  const options = { size: 32, rows: 3, columns: 3, augmentations: resolveAugmentations('facex_zoo'), seed: 0 }
  const { sheet, badImages } = await contactSheet(dataset, options)
  const { width, height, format } = await sharp(sheet).metadata()
  t.same({ width, height, format }, { width: 8 + 4 * 36, height: 4 + 3 * 36, format: 'png' })
  t.same(badImages, [])
  writeFileSync(path.join(root, 'a', '0.jpg'), 'text')
  t.match((await contactSheet(dataset, options)).badImages, [/a\/0.jpg: expected a JPEG or PNG image/] as never, 'and says which images are not what they seem')
})

t.test('aligning goes on where it was stopped and reports what fails', async (t) => {
  const root = t.testdir({ 'sub dir': {} })
  writeFileSync(path.join(root, 'sub dir', 'one.jpg'), await picture(1, 100, 100).jpeg().toBuffer())
  writeFileSync(path.join(root, 'two.webp'), await picture(2, 100, 100).webp().toBuffer())
  writeFileSync(path.join(root, 'bad.jpg'), 'text')
  const points = [40, 40, 60, 40, 50, 50, 42, 62, 58, 62]
  const images = ['sub dir/one.jpg', 'two.webp', 'bad.jpg', 'missing.jpg'].map((name, i) => ({ path: name, points, place: `marks.txt:${i + 1}: ${name}` }))
  const options = { root, out: path.join(root, 'out'), size: 64, format: 'png' as const, threads: 2 }
  const first = await alignPhotographs(images, options)
  t.same([first.made, first.present], [2, 0])
  t.match(first.failures, [/^marks.txt:3: bad.jpg: /, /^marks.txt:4: missing.jpg: ENOENT/] as never)
  const before = statSync(path.join(root, 'out', 'sub dir', 'one.png')).mtimeMs
  const second = await alignPhotographs(images, options)
  t.same([second.made, second.present], [0, 2])
  t.equal(statSync(path.join(root, 'out', 'sub dir', 'one.png')).mtimeMs, before)
  t.equal((await sharp(path.join(root, 'out', 'two.png')).metadata()).width, 64)
  const twins = [...images.slice(0, 2), { path: 'two.jpg', points, place: 'marks.txt:9: two.jpg' }]
  t.match((await alignPhotographs(twins, options)).failures, ['marks.txt:9: two.jpg: its face would have the name of that of marks.txt:2: two.webp'])
})

t.test('options that an action has no use for, and places that cannot be written, are refused with words', async (t) => {
  const root = t.testdir({ faces: {}, file: '' })
  const faces = await folders(path.join(root, 'faces'))
  await t.rejects(dataset(['pack', faces, '--out', path.join(root, 'a.rec'), '--rows', '5']), { code: 'ERR_USAGE', message: '--rows: pack has no use for it, it takes --out, --root, --json' })
  const file = path.join(root, 'file')
  for (const argv of [['preview', faces, '--size', '16', '--out', path.join(file, 'x.png')], ['pack', faces, '--out', path.join(file, 'x.rec')], ['unpack', faces, '--out', file]]) {
    await t.rejects(dataset(argv), { code: 'ERR_DATA', message: /file\S*: cannot be written: \w+: / }, String(argv[0]))
  }
})
