import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

import { alignFace, alignmentTransform, readPhotograph, similarityTransform } from '../../lib/data/alignment.js'
import { fivePoints, openLandmarks, parseLandmarks } from '../../lib/data/landmarks.js'
import { addon } from '../../lib/native.js'
import { sharedPath } from '../shared.js'
import { bytes, picture } from './pictures.js'

t.test('the transform of known photographs is reproduced to 1e-4, their crops within 2 levels on 99% of pixels', async (t) => {
  const photos = sharedPath('data', 'photos')
  if (photos === undefined) return t.plan(0, 'the shared photographs are not on this machine')
  const landmarks = new Map(openLandmarks(path.join(photos, 'landmarks.txt')).map((image) => [image.path, image.points]))
  const known = JSON.parse(readFileSync(path.join(photos, 'alignment.json'), 'utf8')) as { image: string; aligned: string; matrix: number[] }[]
  for (const { image, aligned, matrix } of known) {
    const points = landmarks.get(image)!
    const error = Math.max(...alignmentTransform(points).map((value, i) => Math.abs(value - matrix[i]!)))
    t.ok(error < 1e-4, `${image}: ${error}`)
    const crop = bytes(alignFace(await readPhotograph(path.join(photos, 'original', image)), points))
    const expected = bytes(await addon().decodeImage(readFileSync(path.join(photos, 'aligned', aligned)), 'rgb'))
    const close = crop.filter((value, i) => Math.abs(value - expected[i]!) <= 2).length
    t.ok(close >= 0.99 * crop.length)
  }
})

t.test('a similarity transform is found exactly where there is one', (t) => {
  const from = [0, 0, 10, 0, 5, 5, 0, 10, 10, 10]
  const to = from.flatMap((_, i) => (i % 2 === 0 ? [2 * -from[i + 1]! + 3, 2 * from[i]! + 4] : []))
  similarityTransform(from, to).forEach((value, i) => t.ok(Math.abs(value - [0, -2, 3, 2, 0, 4][i]!) < 1e-12))
  t.throws(() => similarityTransform(Array(10).fill(1) as number[], to), { code: 'ERR_DATA' })
  t.end()
})

t.test('landmark files: spaces in paths, lines, 68 and 106 points, wrong lines together', (t) => {
  const numbers = (count: number) => Array.from({ length: 2 * count }, (_, i) => i)
  t.same(parseLandmarks('\r\nmy photo 1.jpg 1 2 3 4 5 6 7 8 9 10.5\r\n', 'f'), [{ path: 'my photo 1.jpg', points: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10.5], place: 'f:2: my photo 1.jpg' }])
  t.same(parseLandmarks(`a.jpg ${numbers(106).join(' ')}`, 'f')[0]!.points, [208, 209, 210, 211, 108, 109, 168, 169, 180, 181])
  t.same(fivePoints(numbers(68))!.slice(0, 4), [77, 78, 89, 90], 'eyes are the mean of their outlines')
  t.throws(() => parseLandmarks('a.jpg 1 2 3\nb.jpg 1 2 3 4 5 6 7 8 9 x\n', 'marks.txt'), {
    code: 'ERR_DATA',
    problems: [/^marks.txt:1: expected a path and x y of 5, 68 or 106 points/, /^marks.txt:2:/] as never,
  })
  t.throws(() => parseLandmarks('', 'f'), { code: 'ERR_DATA' })
  t.end()
})

t.test('other formats are read through sharp', async (t) => {
  const webp = await readPhotograph(await picture(1, 20, 30).webp({ lossless: true }).toBuffer())
  t.same(webp.shape, [20, 30, 3])
  t.same(bytes(webp), bytes(await addon().decodeImage(await picture(1, 20, 30).png().toBuffer(), 'rgb')))
  await t.rejects(readPhotograph(Buffer.from('no image')), { code: 'ERR_DATA' })
})
