/** Commands that try a model: compare and identify on photographs as they come, search over embeddings. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import sharp from 'sharp'
import t from 'tap'

import { writeEmbeddings } from '../evaluation/embeddings-file.js'
import { NpyFile } from '../../lib/evaluation/npy-reader.js'
import { train } from '../../lib/report/train.js'
import { facexHere } from '../facex.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const { checkpoint } = await train(tinyConfig(root, { epochs: 1 }))
const weights = ['--weights', checkpoint!, '--threads', '1']

/** A photograph whose landmarks are the template's of 16 x 16, moved by (10, 20): its aligned face is the picture itself. */
const template = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041].map((value) => (value * 16) / 112)
const photographs = path.join(root, 'photographs')
mkdirSync(photographs)
await sharp({ create: { width: 60, height: 50, channels: 3, background: '#000000' } }).composite([{ input: path.join(root, '2', '1.png'), left: 10, top: 20 }]).png().toFile(path.join(photographs, 'a.png'))
writeFileSync(path.join(photographs, 'landmarks.txt'), `a.png ${template.map((value, i) => value + (i % 2 === 0 ? 10 : 20)).join(' ')}\n`)

t.test('a photograph is aligned by its landmarks, and the same one unaligned is doubted', async (t) => {
  const photo = path.join(photographs, 'a.png')
  const landmarks = ['--landmarks', path.join(photographs, 'landmarks.txt')]
  const both = await facexHere(['compare', ...weights, photo, photo, ...landmarks, '--json', '--threshold', '0.9'])
  t.equal(both.stderr, '')
  t.match(JSON.parse(both.stdout), { same: true, warnings: [] })
  const unaligned = await facexHere(['compare', ...weights, photo, path.join(root, '2', '1.png'), '--json'])
  t.match(unaligned.stderr, /warning: expected aligned faces of 16 x 16 pixels, found .*a.png \(60 x 50\): unless these/)
  t.equal(JSON.parse(unaligned.stdout).warnings.length, 1)
  t.match(await facexHere(['compare', ...weights, photo, path.join(root, '2', '1.png'), ...landmarks]), { status: 1, stderr: /1.png: expected a line for it in .*landmarks.txt/ })
  t.match(await facexHere(['compare', ...weights, photo, photo, ...landmarks, '--detector', 'x.onnx']), { status: 2, stderr: /exclude each other/ })
})

t.test('weights of another alignment are not given faces that facex aligned', async (t) => {
  const config = tinyConfig(root, { epochs: 1 })
  const { checkpoint } = await train({ ...config, data: { ...config.data, alignment: 'loose' } })
  const photo = path.join(photographs, 'a.png')
  const compare = (...options: string[]) => facexHere(['compare', '--weights', checkpoint!, '--threads', '1', photo, photo, ...options])
  t.match(await compare('--landmarks', path.join(photographs, 'landmarks.txt')), { status: 1, stderr: /trained on faces aligned to loose, --detector and --landmarks align to arcface: give aligned faces/ })
  t.equal((await compare()).status, 0, 'aligned faces are taken as they are')
})

t.test('search prints the nearest rows with the names beside the files', async (t) => {
  const folder = t.testdir()
  const [probes, gallery] = [path.join(folder, 'P.npy'), path.join(folder, 'G.npy')]
  writeEmbeddings(probes, { count: 1, dim: 2, data: Float32Array.of(3, 4) }, ['p.jpg'])
  writeEmbeddings(gallery, { count: 3, dim: 2, data: Float32Array.of(1, 0, 0, 2, 6, 8) }, ['right.jpg', 'up.jpg', 'both.jpg'])
  t.equal((await facexHere(['search', '--probes', probes, '--gallery', gallery, '--top', '2'])).stdout, 'p.jpg\t1\tboth.jpg\t1.000000\np.jpg\t2\tup.jpg\t0.800000\n')
  t.match(JSON.parse((await facexHere(['search', '--probes', probes, '--gallery', gallery, '--json'])).stdout), { probe: 'p.jpg', matches: [{ row: 2 }, { row: 1 }, { row: 0, match: 'right.jpg' }] })
  writeFileSync(path.join(folder, 'G.txt'), 'one\n')
  t.match(await facexHere(['search', '--probes', probes, '--gallery', gallery]), { status: 1, stderr: /G.txt: expected a name for each of 3 rows/ })
})

t.test('a NumPy file is read in pieces, and anything else is refused with what was found', async (t) => {
  const folder = t.testdir({ text: 'not an array' })
  const file = path.join(folder, 'E.npy')
  writeEmbeddings(file, { count: 5, dim: 2, data: Float32Array.from({ length: 10 }, (_, i) => i) }, ['a', 'b', 'c', 'd', 'e'])
  const npy = await NpyFile.open(file)
  const pieces: number[][] = []
  for await (const { data } of npy.pieces(2)) pieces.push([...data])
  await npy.close()
  t.same(pieces, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
  await t.rejects(NpyFile.open(path.join(folder, 'text')), { code: 'ERR_DATA', message: /text: expected a NumPy file/ })
  writeFileSync(file, Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }".padEnd(79), 'latin1'), Buffer.from('\n'), Buffer.alloc(16)]))
  await t.rejects(NpyFile.open(file), { code: 'ERR_DATA', message: /expected float32 of one or two dimensions in row order, found .*<f8/ })
})
