/** From images to figures, with an embedder that knows the answers. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { openImageList } from '../../lib/data/image-list.js'
import { evaluatePairs, type ImageEmbedder } from '../../lib/evaluation/evaluate.js'
import { npyHeader } from '../../lib/evaluation/npy.js'
import { writeEmbeddings } from './embeddings-file.js'
import { openPairSet } from '../../lib/evaluation/pair-set.js'
import { findRule } from '../../lib/evaluation/rules/index.js'

/** Embeds `3-x.jpg` as a direction of its own for person 3, and remembers what it was asked. */
class PersonEmbedder implements ImageEmbedder {
  readonly size = 4
  readonly asked: { files: readonly string[]; flip: boolean | undefined }[] = []

  async embed(files: readonly string[], options: { flip?: boolean } = {}): Promise<Float32Array> {
    this.asked.push({ files, flip: options.flip })
    return Float32Array.from(files.flatMap((file) => Array.from({ length: 4 }, (_, d) => (d === Number(path.basename(file)[0]) ? 2 : 0.1))))
  }
}

const photos = { '0-a.jpg': '', '0-b.jpg': '', '1-a.jpg': '', '1-b.jpg': '' }
const pairs = '0-a.jpg 0-b.jpg 1\n0-a.jpg 1-a.jpg 0\n1-a.jpg 1-b.jpg 1\n0-b.jpg 1-b.jpg 0\n'

t.test('every image is embedded once, with or without its mirror as the rule says', async (t) => {
  const root = t.testdir({ ...photos, 'pairs.txt': pairs })
  const set = openPairSet({ root, pairs: path.join(root, 'pairs.txt') })
  const embedder = new PersonEmbedder()
  const result = await evaluatePairs(embedder, set, { folds: 2 })
  t.match(result, { name: 'pairs', accuracy: 1, std: 0, rule: 'insightface', flip: true, folds: 2, pairs: 4, images: 4, auc: 1 })
  t.same(embedder.asked[0]!.files, set.files)
  await evaluatePairs(embedder, set, { folds: 2, rule: findRule('facex_zoo') })
  await evaluatePairs(embedder, set, { folds: 2, rule: findRule('facex_zoo'), flip: true })
  t.same(embedder.asked.map((call) => call.flip), [true, false, true])
  t.same(embedder.asked[0]!.files.length, 4)
})

t.test('missing images are reported before anything is computed, with the lines that name them', async (t) => {
  const root = t.testdir({ '0-a.jpg': '', '1-a.jpg': '', 'pairs.txt': pairs })
  t.throws(() => openPairSet({ root, pairs: path.join(root, 'pairs.txt') }), { code: 'ERR_DATA', message: /2 of 4 images .*\n.*pairs.txt:1: no image .*0-b.jpg\n.*pairs.txt:3: no image .*1-b.jpg/ })
})

t.test('an image list may carry labels', async (t) => {
  const root = t.testdir({ plain: 'a 1.jpg\nb.jpg\n', labelled: 'my a.jpg 0\r\nb.jpg 12\n', empty: '\n' })
  t.same(openImageList(path.join(root, 'plain')).names, ['a 1.jpg', 'b.jpg'])
  t.same(openImageList(path.join(root, 'labelled')).names, ['my a.jpg', 'b.jpg'])
  t.throws(() => openImageList(path.join(root, 'empty')), { code: 'ERR_DATA' })
  t.throws(() => openImageList(path.join(root, 'none')), { code: 'ERR_DATA' })
})

t.test('embeddings are written as NumPy reads them, with names beside', async (t) => {
  const out = path.join(t.testdir(), 'E.npy')
  const { names } = writeEmbeddings(out, { count: 2, dim: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) }, ['a.jpg', 'b.jpg'])
  t.equal(readFileSync(names, 'utf8'), 'a.jpg\nb.jpg\n')
  const file = readFileSync(out)
  t.equal(file.toString('latin1', 1, 6), 'NUMPY')
  const start = 10 + file.readUInt16LE(8)
  t.equal(start % 64, 0)
  t.match(file.toString('latin1', 10, start), /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/)
  t.same([0, 1, 2, 3, 4, 5].map((i) => file.readFloatLE(start + 4 * i)), [1, 2, 3, 4, 5, 6])
  t.equal(file.length, start + 24)
  for (const rows of [1, 99, 12345, 123456789]) t.equal(npyHeader(rows, 512).length % 64, 0)
})
