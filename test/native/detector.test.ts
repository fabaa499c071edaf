import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'

import { readPhotograph } from '../../lib/data/alignment.js'
import { withoutOverlaps, type DetectedFace } from '../../lib/data/detector/anchors.js'
import { chooseFaces, FaceDetector } from '../../lib/data/detector/detector.js'
import { openLandmarks } from '../../lib/data/landmarks.js'
import { median } from '../../bench/peer.js'
import { facex } from '../facex.js'
import { sharedPath } from '../shared.js'

const models = sharedPath('data', 'models')
const photos = sharedPath('data', 'photos')
const skip = models === undefined || photos === undefined ? 'the shared detectors and photographs are not on this machine' : false

for (const model of ['yunet.onnx', 'scrfd_2.5g_bnkps.onnx']) {
  t.test(`${model} finds the landmarks of photographs within 3 pixels`, { skip }, async (t) => {
    const detector = await FaceDetector.open(path.join(models!, model))
    const errors: number[] = []
    for (const { path: name, points } of openLandmarks(path.join(photos!, 'landmarks.txt')).slice(0, 6)) {
      const photograph = await readPhotograph(path.join(photos!, 'original', name))
      const [face] = chooseFaces(await detector.detect(photograph), 'central', photograph.shape)
      t.ok(face, name)
      for (let i = 0; i < 10; i += 2) errors.push(Math.hypot(face!.points[i]! - points[i]!, face!.points[i + 1]! - points[i + 1]!))
    }
    t.ok(median(errors) < 3, String(median(errors)))
  })
}

t.test('the largest, the most central or all faces; of overlapping ones the best', async (t) => {
  const face = (left: number, size: number, score: number): DetectedFace => ({ score, left, top: 40, right: left + size, bottom: 40 + size, points: [] })
  const faces = [face(150, 20, 0.9), face(85, 30, 0.8), face(0, 50, 0.7)]
  const lefts = (chosen: DetectedFace[]) => chosen.map(({ left }) => left)
  t.same(lefts(chooseFaces(faces, 'largest', [100, 200])), [0])
  t.same(lefts(chooseFaces(faces, 'central', [100, 200])), [85])
  t.same(lefts(chooseFaces(faces, 'all', [100, 200])), [0, 85, 150])
  t.same(chooseFaces([], 'largest', [100, 200]), [])
  t.same(lefts(withoutOverlaps([face(0, 50, 0.7), face(5, 50, 0.9), face(90, 50, 0.6)])), [5, 90])
})

t.test('facex align --detector aligns every face of a picture, goes on, and reports pictures without one', { skip }, async (t) => {
  const root = t.testdir({ photos: {} })
  const [one, two] = readdirSync(path.join(photos!, 'original'))
  const halves = await Promise.all([one!, two!].map((name) => sharp(path.join(photos!, 'original', name)).toBuffer()))
  await sharp({ create: { width: 500, height: 250, channels: 3, background: '#000' } })
    .composite(halves.map((input, i) => ({ input, left: 250 * i, top: 0 })))
    .png()
    .toFile(path.join(root, 'photos', 'both.png'))
  await sharp({ create: { width: 300, height: 200, channels: 3, background: '#456' } }).webp().toFile(path.join(root, 'photos', 'empty.webp'))
  const align = () => facex(['align', '--detector', path.join(models!, 'yunet.onnx'), '--root', 'photos', '--out', 'out', '--faces', 'all'], { cwd: root })
  const first = align()
  t.equal(first.status, 1)
  t.match(first.stdout, /^1 aligned, 0 there before, 1 failed\n {2}empty.webp: no face found/)
  t.same(readdirSync(path.join(root, 'out')).sort(), ['both_0.jpg', 'both_1.jpg', 'failures.txt'])
  rmSync(path.join(root, 'photos', 'empty.webp'))
  t.match(align().stdout, /^0 aligned, 1 there before, 0 failed/)
  t.same(readdirSync(path.join(root, 'out')).sort(), ['both_0.jpg', 'both_1.jpg'])
})

t.test('what is missing or wrong is named', async (t) => {
  const root = t.testdir({ 'model.onnx': 'no model' })
  mkdirSync(path.join(root, 'photos'))
  writeFileSync(path.join(root, 'photos', 'a.jpg'), '')
  const align = (env: Record<string, string>) => facex(['align', '--detector', 'model.onnx', '--root', 'photos', '--out', 'out'], { cwd: root, env })
  t.match(align({}).stderr, /model.onnx: the detector cannot be loaded/)
  // As on a machine where the optional package was never installed.
  const hooks = "export async function resolve(name, context, next) { if (name === 'onnxruntime-node') throw new Error('Cannot find package'); return next(name, context) }"
  const preload = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hooks).replaceAll("'", '%27')}')`
  const without = align({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload).replaceAll("'", '%27')}` })
  t.equal(without.status, 1)
  t.match(without.stderr, /needs the package onnxruntime-node.*npm install onnxruntime-node/)
})
