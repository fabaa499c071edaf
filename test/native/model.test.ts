/** A model from a weights file, through the API and through the commands that use one. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { writeSynthetic } from '../../lib/data/synthetic/source.js'
import { pairScores } from '../../lib/evaluation/scores.js'
import { writeSafetensors } from '../../lib/model/formats/safetensors.js'
import { loadModel } from '../../lib/model/model.js'
import { addon } from '../../lib/native.js'
import { facex } from '../facex.js'

const folder = t.testdir()
const weights = path.join(folder, 'weights.safetensors')
const faces = path.join(folder, 'faces')
const named = { backbone: 'MobileFaceNet', set: ['feat_dim=64'], preprocessing: { color: 'bgr' as const } }
const described = ['--backbone', 'MobileFaceNet', '--set', 'feat_dim=64', '--color', 'bgr', '--device', 'cpu']

t.before(async () => {
  await writeSynthetic({ root: faces, identities: 2, images: 2, held_out: 3, seed: 1 })
  const { graph } = buildBackbone('MobileFaceNet', { feat_dim: 64 })
  const network = new (addon().Network)(graph, { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 })
  network.initialise(3)
  await writeSafetensors(weights, network.state().map((tensor) => ({ ...tensor, name: `module.backbone.${tensor.name}` })))
  network.dispose()
})

t.test('files and their contents give the same embeddings, in order and for any batch size', async (t) => {
  const model = await loadModel(weights, named)
  const files = readFileSync(path.join(faces, 'train.txt'), 'utf8').trim().split('\n').map((line) => path.join(faces, line.split(' ')[0]!))
  const embeddings = await model.embed(files)
  t.equal(embeddings.length, files.length * 64)
  const contents = await model.embed(files.map((file) => readFileSync(file)), { batchSize: 3 })
  t.ok(embeddings.every((value, i) => Math.abs(value - contents[i]!) < 1e-4))
  const mirrored = await model.embed(files, { flip: true })
  t.ok(mirrored.some((value, i) => value !== embeddings[i]))
  model.dispose()
})

t.test('a file that does not describe itself must be completed, and must fit', async (t) => {
  await t.rejects(loadModel(weights, {}), { code: 'ERR_CHECKPOINT', message: /name it with --backbone/ })
  await t.rejects(loadModel(weights, { ...named, preprocessing: {} }), { code: 'ERR_CHECKPOINT', message: /--color/ })
  await t.rejects(loadModel(weights, { ...named, set: [] }), { code: 'ERR_CHECKPOINT', message: /linear\.weight: expected \[512, 512\], found \[64, 512\]/ })
  await t.rejects(loadModel(path.join(folder, 'none'), named), { code: 'ERR_CHECKPOINT' })
})

t.test('evaluate prints what the pairs show, under either rule', async (t) => {
  const pairs = ['--pairs', path.join(faces, 'pairs.txt'), '--root', faces]
  const { status, stdout } = facex(['evaluate', '--weights', weights, ...described, ...pairs, '--rule', 'facex_zoo', '--json'])
  t.equal(status, 0)
  const result = JSON.parse(stdout)
  t.match(result, { rule: 'facex_zoo', flip: false, folds: 10, pairs: 600, images: 6 })
  t.ok(result.accuracy >= 0 && result.accuracy <= 1 && result.std >= 0)
  const text = facex(['evaluate', '--weights', weights, ...described, ...pairs, '--folds', '5'])
  t.match(text.stdout, /^accuracy +\d+\.\d\d% \+- .*\nrule +insightface, mirror images added\nfolds +5\npairs +600 of 6 images/)
})

t.test('extract writes what embed returns, and compare agrees with it', async (t) => {
  const list = path.join(folder, 'list.txt')
  writeFileSync(list, 'train/0000/00.jpg\ntrain/0001/01.jpg\n')
  const out = path.join(folder, 'E.npy')
  const extracted = facex(['extract', '--weights', weights, ...described, '--root', faces, '--list', list, '--out', out])
  t.equal(extracted.status, 0, extracted.stderr)
  t.equal(readFileSync(path.join(folder, 'E.txt'), 'utf8'), 'train/0000/00.jpg\ntrain/0001/01.jpg\n')
  const file = readFileSync(out)
  const data = Float32Array.from({ length: 128 }, (_, i) => file.readFloatLE(file.length - 4 * (128 - i)))
  const similarity = pairScores({ count: 2, dim: 64, data }, Uint32Array.of(0), Uint32Array.of(1))[0]!

  const images = ['train/0000/00.jpg', 'train/0001/01.jpg'].map((name) => path.join(faces, name))
  const compared = facex(['compare', '--weights', weights, ...described, ...images, '--threshold', '-1', '--json'])
  const result = JSON.parse(compared.stdout)
  t.ok(Math.abs(result.similarity - similarity) < 1e-5)
  t.equal(result.same, true)
})

t.test('wrong usage of the commands is status 2 and names the option', async (t) => {
  for (const [args, message] of [
    [['evaluate', '--weights', 'w'], /--pairs is missing/],
    [['evaluate', '--rule', 'lfw'], /unknown accuracy rule "lfw"/],
    [['evaluate', '--flip', '--no-flip'], /exclude each other/],
    [['extract', '--lst', 'x'], /unknown option --lst, did you mean --list\?/],
    [['compare', 'a.jpg'], /expected two images, received 1/],
    [['compare', '--weights', 'w', '--device', 'gpu', 'a', 'b'], /--device: unknown device "gpu"/],
    [['compare', '--weights', 'w', '--mean', 'x', 'a', 'b'], /--mean: expected a number/],
  ] as const) {
    const { status, stderr } = facex(args)
    t.equal(status, 2, args.join(' '))
    t.match(stderr, message)
  }
})
