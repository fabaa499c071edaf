/** The blocked search against every similarity worked out one by one. */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import type { ImageEmbedder } from '../../lib/evaluation/evaluate.js'
import { identificationRanks } from '../../lib/evaluation/identification.js'
import { JoinedEmbedder } from '../../lib/evaluation/joined-embedder.js'
import { openProtocol } from '../../lib/evaluation/protocols/conf.js'
import { findRule } from '../../lib/evaluation/rules/index.js'
import { pairScores, type Embeddings } from '../../lib/evaluation/scores.js'
import { searchTopK } from '../../lib/evaluation/search.js'
import { uniform } from '../golden-values.js'

function embeddings(name: string, count: number, dim: number): Embeddings {
  return { count, dim, data: Float32Array.from({ length: count * dim }, (_, i) => uniform(name, i) - 0.5) }
}

function* pieces({ count, dim, data }: Embeddings, size: number): Generator<Embeddings> {
  for (let row = 0; row < count; row += size) {
    const part = data.subarray(row * dim, Math.min(count, row + size) * dim)
    yield { count: part.length / dim, dim, data: part }
  }
}

const probes = embeddings('probes', 131, 24)
const gallery = embeddings('gallery', 4500, 24)

t.test('the best rows are those of all similarities sorted', async (t) => {
  const k = 7
  const { scores, rows } = await searchTopK(probes, pieces(gallery, 4500), k)
  const both = { count: 131 + 4500, dim: 24, data: Float32Array.from([...probes.data, ...gallery.data]) }
  for (const probe of [0, 64, 130]) {
    const all = pairScores(both, new Uint32Array(4500).fill(probe), Uint32Array.from({ length: 4500 }, (_, i) => 131 + i))
    const expected = [...all.keys()].sort((a, b) => all[b]! - all[a]!).slice(0, k)
    t.same([...rows.subarray(probe * k, probe * k + k)], expected)
    expected.forEach((row, rank) => t.ok(Math.abs(all[row]! - scores[probe * k + rank]!) < 1e-5))
  }
})

t.test('how the gallery is cut into pieces does not change a bit of the result', async (t) => {
  const whole = await searchTopK(probes, [gallery], 10)
  for (const size of [1, 777, 2048, 3000]) t.same(await searchTopK(probes, pieces(gallery, size), 10), whole, `pieces of ${size}`)
})

t.test('equal similarities come in gallery order, and a small gallery leaves places empty', async (t) => {
  const same = { count: 3, dim: 2, data: Float32Array.of(2, 0, 1, 0, 0, 5) }
  const { rows, scores } = await searchTopK({ count: 1, dim: 2, data: Float32Array.of(3, 0) }, [same], 4)
  t.same([...rows], [0, 1, 2, -1])
  t.same([...scores], [1, 1, 0, -Infinity])
})

t.test('an embedding without direction is an error that names its row', async (t) => {
  const zero = { count: 2, dim: 2, data: Float32Array.of(1, 0, 0, 0) }
  await t.rejects(searchTopK({ count: 1, dim: 2, data: Float32Array.of(3, 0) }, [zero], 1), { code: 'ERR_NON_FINITE', message: /gallery row 1: expected/ })
})

t.test("MegaFace's ranks worked out by hand", async (t) => {
  // Two photos of a at 0 and 60 degrees, two of b at 180 and 190; distractors at 30, 50 and 100 degrees.
  const at = (...degrees: number[]): Embeddings => ({ count: degrees.length, dim: 2, data: Float32Array.from(degrees.flatMap((degree) => [Math.cos((degree * Math.PI) / 180), Math.sin((degree * Math.PI) / 180)])) })
  const photos = at(0, 60, 180, 190)
  const { scores } = await searchTopK(photos, [at(30, 50, 100)], 3)
  const result = identificationRanks({ gallery: photos, probes: photos, persons: ['a', 'a', 'b', 'b'], distractorScores: scores, depth: 3 }, [1, 2, 3])
  // a's probe at 0 has two distractors nearer than its mate, the one at 60 has three (10, 30 and 40 degrees away); b's have none.
  t.equal(result.trials, 4)
  t.same(result.ranks.map((rank) => rank.accuracy), [0.5, 0.5, 0.75])
})

t.test('masked photos look for their unmasked mates, with the features of two models side by side', async (t) => {
  const photos = ['a/0.jpg', 'a/1.jpg', 'b/2.jpg', 'b/3.jpg', 'x/4.jpg']
  const files = () => Object.fromEntries(photos.map((name) => [name.replace('/', '-'), '']))
  const folder = t.testdir({ crop: files(), masked: files() })
  const lists = { known: { path: photos.slice(0, 4).map((name) => name.replace('/', '-')), id: ['a', 'a', 'b', 'b'] }, others: { path: ['x-4.jpg'] } }
  for (const [name, list] of Object.entries(lists)) writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(list))
  const conf = path.join(folder, 'data_conf.yaml')
  writeFileSync(conf, `MegaFace: {facescrub_list: ${folder}/known.json, megaceface_list: ${folder}/others.json, cropped_face_folder: ${folder}/crop, megaface-mask: 1, masked_cropped_face_folder: ${folder}/masked}\n`)
  // The first model knows nobody behind a mask; the second one, which sees eyes only, knows a from the others but not b.
  const whole = (photo: number, masked: boolean) => (masked ? [1, 1, 1] : photo < 2 ? [1, 0, 0] : photo < 4 ? [0, 1, 0] : [0, 0, 1])
  const eyes = (photo: number) => (photo < 2 ? [9, 0] : photo < 4 ? [3, 4] : [0, 9])
  const model = (size: number, of: (photo: number, masked: boolean) => number[]): ImageEmbedder => ({
    size,
    embed: async (images) => Float32Array.from((images as readonly string[]).flatMap((file) => of(Number(/(\d)\.jpg$/.exec(file)![1]), file.includes('masked')))),
  })
  const protocol = openProtocol(conf, 'MegaFace')
  const rank1 = async (embedder: ImageEmbedder) => {
    const result = await protocol.run(embedder, {})
    return result.kind === 'identification' && result.ranks.map(({ accuracy }) => accuracy)
  }
  t.match(await protocol.run(model(3, whole), {}), { masked: true, trials: 4, distractors: 1, ranks: [{ rank: 1 }, { rank: 3 }, { rank: 5 }, { rank: 10 }] })
  t.same(await rank1(model(2, eyes)), [1, 1, 1, 1])
  // Unit length first: joined cosines of a's and b's probes are (cos whole + cos eyes) / 2, and every mate wins over the stranger.
  t.same(await rank1(new JoinedEmbedder([model(3, whole), model(2, eyes)])), [1, 1, 1, 1])
  const joined = await new JoinedEmbedder([model(3, whole), model(2, eyes)]).embed(['crop/2.jpg'])
  t.same([...joined], [0, 1, 0, Math.fround(0.6), Math.fround(0.8)])
  await t.rejects(new JoinedEmbedder([model(2, () => [0, 0])]).embed(['0.jpg']), { code: 'ERR_NON_FINITE' })
})

t.test("MegaFace's lists become rank accuracies, without the photos of the noise lists", async (t) => {
  const folder = t.testdir({
    'known.json': JSON.stringify({ path: ['a/0.jpg', 'a/60.jpg', 'b/180.jpg', 'b/190.jpg', 'b/45.jpg'], id: ['a', 'a', 'b', 'b', 'b'] }),
    'others.json': JSON.stringify({ path: ['x/30.jpg', 'x/50.jpg', 'x/100.jpg', 'x/61.jpg'] }),
    a: { '0.jpg': '', '60.jpg': '' },
    b: { '180.jpg': '', '190.jpg': '', '45.jpg': '' },
    x: { '30.jpg': '', '50.jpg': '', '100.jpg': '', '61.jpg': '' },
    'noise-known': '# wrong persons\n45.jpg\n',
    'noise-others': '1\tx/61.jpg\n',
  })
  const conf = path.join(folder, 'data_conf.yaml')
  writeFileSync(conf, `MegaFace: {facescrub_list: ${folder}/known.json, megaceface_list: ${folder}/others.json, facescrub_noises_file: ${folder}/noise-known, megaface_noises_file: ${folder}/noise-others, cropped_face_folder: ${folder}}\n`)
  const angle = (file: unknown) => (Number(path.basename(String(file), '.jpg')) * Math.PI) / 180
  const embed = async (files: readonly unknown[]) => Float32Array.from(files.flatMap((file) => [Math.cos(angle(file)), Math.sin(angle(file))]))
  const protocol = openProtocol(conf, 'MegaFace')
  const result = await protocol.run({ size: 2, embed }, {})
  t.match(result, { kind: 'identification', trials: 4, distractors: 3, masked: false, ranks: [{ rank: 1, accuracy: 0.5 }, { rank: 3, accuracy: 0.75 }, { rank: 5, accuracy: 1 }, { rank: 10, accuracy: 1 }], cmc: [0.5, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1] })
  await t.rejects(protocol.run({ size: 2, embed }, { folds: 5, rule: findRule('insightface') }), { code: 'ERR_USAGE', message: '--rule, --folds: protocol MegaFace takes neither --rule nor --folds nor --far' })
  rmSync(path.join(folder, 'x', '50.jpg'))
  t.throws(() => openProtocol(conf, 'MegaFace'), { code: 'ERR_DATA', message: /1 of 3 images .*\n.*others.json: path\[1\]: no image .*50.jpg/ })
})
