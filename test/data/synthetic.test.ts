/** The program that draws faces, and the data set made of them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import sharp from 'sharp'
import t from 'tap'

import { openPairs } from '../../lib/data/pairs.js'
import { drawIdentity } from '../../lib/data/synthetic/identity.js'
import { renderFace } from '../../lib/data/synthetic/render.js'
import { drawScene } from '../../lib/data/synthetic/scene.js'
import { openSynthetic, writeSynthetic } from '../../lib/data/synthetic/source.js'

t.test('a face is a 112x112 JPEG, and the same numbers draw the same bytes', async (t) => {
  const face = await renderFace(drawIdentity(5, 1), drawScene(5, 1, 2))
  t.match(await sharp(face).metadata(), { format: 'jpeg', width: 112, height: 112, channels: 3 })
  t.ok(face.equals(await renderFace(drawIdentity(5, 1), drawScene(5, 1, 2))))
})

t.test('identities differ more than the images of one do', async (t) => {
  const centre = async (person: number, image: number) => {
    const pixels = await sharp(await renderFace(drawIdentity(0, person), drawScene(0, person, image)))
      .extract({ left: 26, top: 20, width: 60, height: 80 })
      .resize(8, 8)
      .raw()
      .toBuffer()
    return [...pixels]
  }
  const faces = await Promise.all(Array.from({ length: 12 }, (_, person) => Promise.all([0, 1, 2].map((image) => centre(person, image)))))
  const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - b[i]!))
  const same = faces.flatMap((images) => [distance(images[0]!, images[1]!), distance(images[1]!, images[2]!)])
  const different = faces.flatMap((images, person) => [distance(images[0]!, faces[(person + 1) % 12]![1]!)])
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  t.ok(mean(same) < mean(different), `${mean(same)} within, ${mean(different)} between`)
})

t.test('a set holds a training list and pairs of held-out identities, and is drawn once', async (t) => {
  const config = { root: path.join(t.testdir(), 'faces'), identities: 3, images: 4, held_out: 2, seed: 9 }
  let last: number[] = []
  t.equal(await writeSynthetic(config, (...progress) => (last = progress)), true)
  t.same(last, [20, 20])
  t.equal(await writeSynthetic(config), false)

  const set = openSynthetic(config)
  t.same([...set.labels], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
  t.match(set.notes[0], /synthetic, drawn by a program/)
  const pairs = openPairs(path.join(config.root, 'pairs.txt'))
  t.equal(pairs.genuine.length, 600)
  t.equal(pairs.genuine.filter(Boolean).length, 300)
  t.ok(pairs.paths.every((name) => name.startsWith('held_out/')))
  t.equal((await sharp(path.join(config.root, pairs.paths[0]!)).metadata()).width, 112)

  await t.rejects(writeSynthetic({ ...config, seed: 10 }), { code: 'ERR_DATA', message: /drawn with other settings/ })
})

t.test('an interrupted set is drawn again, and a folder of something else is left alone', async (t) => {
  const config = { root: t.testdir(), identities: 2, images: 2, held_out: 2, seed: 0 }
  mkdirSync(config.root, { recursive: true })
  writeFileSync(path.join(config.root, 'synthetic.json'), '{"complete":false}')
  t.equal(await writeSynthetic(config), true)
  t.match(readFileSync(path.join(config.root, 'synthetic.json'), 'utf8'), '"complete":true')
  const photos = t.testdir({ 'photo.jpg': '' })
  await t.rejects(writeSynthetic({ ...config, root: photos }), { code: 'ERR_DATA', message: /folder of its own/ })
})
