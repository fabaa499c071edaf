import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'

import { ARCFACE_TEMPLATE } from '../../lib/data/alignment.js'
import { parseLandmarks } from '../../lib/data/landmarks.js'
import { FaceFit } from '../../lib/data/mask/face-fit.js'
import { MASK_STYLES } from '../../lib/data/mask/styles/index.js'
import { MaskTextures, pictureStyle } from '../../lib/data/mask/textures.js'
import { wearMask } from '../../lib/data/mask/wear-mask.js'
import { drawIdentity } from '../../lib/data/synthetic/identity.js'
import { renderFace } from '../../lib/data/synthetic/render.js'
import { drawScene } from '../../lib/data/synthetic/scene.js'
import { addon, type NativeTensor } from '../../lib/native.js'
import { facexHere } from '../facex.js'
import { bytes } from './pictures.js'

const face = async (image = 0): Promise<Buffer> => renderFace(drawIdentity(1, 0), drawScene(1, 0, image))
const decode = (file: Buffer): Promise<NativeTensor> => addon().decodeImage(file, 'rgb')

/** Mean change of the pixels in columns [left, right) and rows [top, bottom). */
function change(a: NativeTensor, b: NativeTensor, [left, top, right, bottom]: readonly [number, number, number, number]): number {
  const [x, y] = [bytes(a), bytes(b)]
  let [sum, count] = [0, 0]
  for (let row = top; row < bottom; row++) {
    for (let at = 3 * (row * 112 + left); at < 3 * (row * 112 + right); at++, count++) sum += Math.abs(x[at]! - y[at]!)
  }
  return sum / count
}

t.test('the template of aligned faces is a face seen from the front', async (t) => {
  const fit = new FaceFit({ points: ARCFACE_TEMPLATE })
  t.ok(Math.abs(fit.yaw) < 0.02)
  const [x, y] = fit.pixel([0, 36, 27])
  t.ok(Math.hypot(x - ARCFACE_TEMPLATE[4]!, y - ARCFACE_TEMPLATE[5]!) < 1, 'the nose is where its landmark is')
})

t.test('a nose to the right of the middle means a face turned to the right, and landmarks are followed', async (t) => {
  const points = [100, 100, 150, 100, 138, 128, 108, 158, 148, 158]
  const fit = new FaceFit({ points })
  t.ok(fit.yaw > 0.2 && fit.yaw < 1)
  const [x, y] = fit.pixel([0, 36, 27])
  t.ok(Math.hypot(x - 138, y - 128) < 3)
  const mirrored = new FaceFit({ points: [100, 100, 150, 100, 112, 128, 102, 158, 142, 158] })
  t.ok(Math.abs(mirrored.yaw + fit.yaw) < 1e-3)
})

t.test('files of 68 points bring the jaw, which moves the chin', async (t) => {
  const jaw = (chin: number) => Array.from({ length: 17 }, (_, i) => [125 + 45 * -Math.cos((Math.PI * i) / 16), 105 + (chin - 105) * Math.sin((Math.PI * i) / 16)]).flat()
  const points = [100, 100, 150, 100, 125, 128, 104, 158, 146, 158]
  const [short, long] = [180, 210].map((chin) => new FaceFit({ points, jaw: jaw(chin) }).pixel([0, 118, 0])[1])
  t.ok(long! - short! > 15)
  const parsed = parseLandmarks(`a.jpg ${Array.from({ length: 212 }, (_, i) => i).join(' ')}`, 'f')[0]!
  t.same(parsed.jaw!.slice(0, 4), [0, 1, 4, 5], 'every other point of the 33 of 106')
})

t.test('every style covers mouth and nose and leaves the eyes', async (t) => {
  const before = await decode(await face())
  for (const style of MASK_STYLES) {
    const after = await wearMask(before, { points: ARCFACE_TEMPLATE }, style, new MaskTextures(), 3)
    t.equal(change(before, after, [0, 0, 112, 50]), 0, `${style.name}: forehead and eyes`)
    t.ok(change(before, after, [40, 75, 72, 100]) > 15, `${style.name}: mouth`)
  }
})

t.test('a picture without colours gets a mask without colours', async (t) => {
  const grey = await decode(await sharp(await face()).greyscale().toColourspace('srgb').png().toBuffer())
  const after = bytes(await wearMask(grey, { points: ARCFACE_TEMPLATE }, MASK_STYLES[0]!, new MaskTextures(), 1))
  t.ok(after.every((value, i) => i % 3 !== 0 || (Math.abs(value - after[i + 1]!) <= 1 && Math.abs(value - after[i + 2]!) <= 1)))
})

t.test('surfaces hide by depth, only their front is drawn, and mistakes are refused', async (t) => {
  const image: NativeTensor = { name: 'image', dtype: 'uint8', shape: [8, 8, 3], data: new ArrayBuffer(192) }
  const texture: NativeTensor = { name: 'texture', dtype: 'uint8', shape: [1, 2, 4], data: new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255]).buffer }
  const square = (z: number, light: number) => ({ positions: [0, 0, z, 8, 0, z, 0, 8, z, 8, 8, z], light: [light, light, light, light] })
  const draw = (squares: ReturnType<typeof square>[], triangles: number[]) =>
    addon().drawSurface(image, {
      positions: Float32Array.from(squares.flatMap(({ positions }) => positions)),
      light: Float32Array.from(squares.flatMap(({ light }) => light)),
      places: new Float32Array(squares.length * 8).fill(0.5),
      triangles: Uint32Array.from(triangles),
      texture,
      softness: 0,
      shadow: 0,
      shadowReach: 0,
      grain: 0,
      seed: 0,
      grey: false,
    })
  const middle = async (drawn: Promise<NativeTensor>) => bytes(await drawn)[3 * (4 * 8 + 4)]!
  const both = [0, 1, 2, 1, 3, 2, 4, 5, 6, 5, 7, 6]
  t.equal(await middle(draw([square(1, 0.2), square(2, 0.6)], both)), 153, 'the nearer one')
  t.equal(await middle(draw([square(2, 0.6), square(1, 0.2)], both)), 153, 'in any order')
  t.equal(await middle(draw([square(1, 0.2)], [0, 2, 1])), 0, 'seen from behind')
  await t.rejects(async () => draw([square(1, 1)], [0, 1, 4]), { code: 'ERR_CONFIG', message: /vertex 4 of 4/ })
  await t.rejects(async () => draw([square(Number.NaN, 1)], [0, 1, 2]), { code: 'ERR_CONFIG', message: /not finite/ })
})

t.test("a user's picture becomes the cloth, its transparent parts stay skin", async (t) => {
  const file = path.join(t.testdir(), 'cloth.png')
  const stripe = await sharp({ create: { width: 100, height: 30, channels: 4, background: '#00ff00' } }).png().toBuffer()
  await sharp({ create: { width: 100, height: 100, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).composite([{ input: stripe, left: 0, top: 60 }]).png().toFile(file)
  const before = await decode(await face())
  const after = await wearMask(before, { points: ARCFACE_TEMPLATE }, await pictureStyle(file), new MaskTextures(), 1)
  t.ok(change(before, after, [45, 66, 67, 72]) < change(before, after, [45, 92, 67, 97]) / 3)
  await t.rejects(pictureStyle('none.png'), { code: 'ERR_DATA', message: /^none.png: / })
})

t.test('facex dataset mask writes both faces of every identity, goes on where it stopped, and reports failures', async (t) => {
  const root = t.testdir()
  for (const person of ['ann', 'bob']) {
    mkdirSync(path.join(root, 'faces', person), { recursive: true })
    for (const i of [0, 1]) writeFileSync(path.join(root, 'faces', person, `${i}.jpg`), await face(i))
  }
  const mask = (...options: string[]) => facexHere(['dataset', 'mask', 'faces', '--seed', '5', ...options], { cwd: root })
  const first = await mask('--out', 'both')
  t.equal(first.status, 0, first.stderr)
  const lines = readFileSync(path.join(root, 'both', 'train.txt'), 'utf8').split('\n')
  t.same(lines.slice(0, 3), ['ann/0.jpg 0', 'ann/0_masked.jpg 0', 'ann/1.jpg 0'])
  t.equal(lines.length, 9)
  t.same(readFileSync(path.join(root, 'both', 'ann', '0.jpg')), readFileSync(path.join(root, 'faces', 'ann', '0.jpg')), 'the original byte for byte')
  const masked = path.join(root, 'both', 'bob', '1_masked.jpg')
  const [content, time] = [readFileSync(masked), statSync(path.join(root, 'both', 'ann', '0_masked.jpg')).mtimeMs]
  rmSync(masked)
  t.match((await mask('--out', 'both')).stdout, /^1 masked, 3 there before, 0 failed/)
  t.same(readFileSync(masked), content, 'the same again: by seed and name')
  t.equal(statSync(path.join(root, 'both', 'ann', '0_masked.jpg')).mtimeMs, time)
  writeFileSync(path.join(root, 'faces', 'bob', '1.jpg'), 'text')
  writeFileSync(path.join(root, 'test.txt'), 'faces/ann/0.jpg\nfaces/bob/1.jpg\n')
  const only = await facexHere(['dataset', 'mask', 'test.txt', '--only', '--style', 'cloth', '--out', 'only'], { cwd: root })
  t.equal(only.status, 1)
  t.match(only.stdout, /1 masked, 0 there before, 1 failed\n {2}test.txt:2: faces\/bob\/1.jpg: /)
  t.ok(existsSync(path.join(root, 'only', 'faces', 'ann', '0.jpg')))
  t.match(readFileSync(path.join(root, 'only', 'failures.txt'), 'utf8'), /^test.txt:2: faces\/bob\/1.jpg: /)
  t.match((await mask('--out', 'x', '--style', 'surgicall')).stderr, /did you mean "surgical"/)
})
