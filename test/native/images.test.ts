import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'

import { addon, type NativeTensor } from '../../lib/native.js'
import { sharedPath } from '../shared.js'
import { bytes, picture } from './pictures.js'

const bgr = (file: Uint8Array) => addon().decodeImage(file, 'bgr')
const once = (name: string) => [{ name, probability: 1, values: {} }]

function digest(image: NativeTensor): string {
  return createHash('sha256').update(bytes(image)).digest('hex')
}

/** How many values differ by 0, by 1, by 2, by more. */
function differences(a: NativeTensor, b: NativeTensor): number[] {
  const [x, y] = [bytes(a), bytes(b)]
  const counts = [0, 0, 0, 0]
  x.forEach((value, i) => counts[Math.min(3, Math.abs(value - y[i]!))]!++)
  return counts
}

t.test('photographs decode to the same bytes as with libjpeg-turbo elsewhere, and align to the same crops', async (t) => {
  const photos = sharedPath('data', 'photos')
  if (photos === undefined) return t.plan(0, 'the shared photographs are not on this machine')
  const known = JSON.parse(readFileSync(path.join(photos, 'alignment.json'), 'utf8')) as Record<string, never>[]
  for (const { image, aligned, matrix, decoded_bgr_sha256: hash } of known) {
    const decoded = await bgr(readFileSync(path.join(photos, 'original', image!)))
    t.equal(digest(decoded), hash)
    const crop = addon().warpAffine(decoded, matrix!, 112, 112)
    const [same, one] = differences(crop, await bgr(readFileSync(path.join(photos, 'aligned', aligned!))))
    t.ok(same! + one! === 112 * 112 * 3 && same! > 0.999 * 112 * 112 * 3, `${image}: ${one} values differ by 1`)
  }
  t.end()
})

t.test('the golden transforms are reproduced', async (t) => {
  const folder = sharedPath('golden', 'transforms')
  if (folder === undefined) return t.plan(0, 'golden values are not on this machine')
  const open = (name: string) => bgr(readFileSync(path.join(folder, name)))
  const input = await open('input.jpg')
  t.same(differences(input, await open('decoded.png')).slice(1), [0, 0, 0])
  interface Golden { file: string; t: number; l: number; b: number; r: number; matrix?: number[] }
  for (const golden of JSON.parse(readFileSync(path.join(folder, 'transforms.json'), 'utf8')) as Golden[]) {
    const name = golden.file.split(/[.\d]/)[0]!
    const result = golden.matrix
      ? addon().warpAffine(input, golden.matrix, 112, 112)
      : name === 'crop'
        ? addon().resizeImage(input, 112, 112, { top: golden.t, left: golden.l, bottom: golden.b, right: golden.r })
        : addon().augmentImage(input, once(name === 'gray' ? 'grey' : name), 'bgr', 0)
    const [, one, two, more] = differences(result, await open(golden.file))
    t.same([two, more], [0, 0], `${golden.file}: ${one} values differ by 1`)
  }
  t.end()
})

t.test('grey, palette, alpha, 16-bit, interlaced and progressive files become 8-bit colour', async (t) => {
  const shapes: Record<string, Buffer> = {
    'grey JPEG': await picture(1).greyscale().jpeg().toBuffer(),
    'progressive JPEG': await picture(1).jpeg({ progressive: true, quality: 100 }).toBuffer(),
    'grey PNG': await picture(1).greyscale().toColourspace('b-w').png().toBuffer(),
    'palette PNG': await picture(1).png({ palette: true, colours: 16 }).toBuffer(),
    'alpha PNG': await picture(1).ensureAlpha(0.5).png().toBuffer(),
    '16-bit PNG': await picture(1).toColourspace('rgb16').png().toBuffer(),
    'interlaced PNG': await picture(1).png({ progressive: true }).toBuffer(),
  }
  const plain = await bgr(await picture(1).png().toBuffer())
  for (const [name, file] of Object.entries(shapes)) {
    const image = await bgr(file)
    t.same(image.shape, [32, 32, 3], name)
    if (/alpha|interlaced|16-bit/.test(name)) t.same(differences(image, plain).slice(1), [0, 0, 0], name)
    if (name.startsWith('grey')) t.ok(bytes(image).every((value, i, all) => value === all[i - (i % 3)]), name)
  }
  t.end()
})

t.test('CMYK JPEG becomes colour', async (t) => {
  const red = sharp({ create: { width: 16, height: 16, channels: 3, background: '#ff0000' } })
  const file = await red.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
  const [blue, green, redValue] = bytes(await bgr(file))
  t.ok(redValue! > 180 && blue! < 90 && green! < 90, `${redValue} ${green} ${blue}`)
  t.end()
})

t.test('rgb is bgr in the other order', async (t) => {
  const file = await picture(2).jpeg().toBuffer()
  const rgb = bytes(await addon().decodeImage(file, 'rgb'))
  t.same(bytes(await bgr(file)), rgb.map((_, i) => rgb[i - (i % 3) + 2 - (i % 3)]!))
  t.end()
})

t.test('what is no good image is an error that names the reason', async (t) => {
  const jpeg = await picture(3, 64, 64).jpeg().toBuffer()
  const png = await picture(3, 64, 64).png().toBuffer()
  const middle = Buffer.from(jpeg)
  middle.fill(0xff, Math.floor(jpeg.length / 2), Math.floor(jpeg.length / 2) + 60)
  const wide = Buffer.from(png)
  wide.writeUInt32BE(40_000, 16)
  wide.writeUInt32BE(40_000, 20)
  const crc = Buffer.from(png)
  crc[png.length - 30]! ^= 0x55
  const cases: [string, Uint8Array, RegExp][] = [
    ['zero bytes', Buffer.alloc(0), /the file is empty/],
    ['text', Buffer.from('hello'), /expected a JPEG or PNG image/],
    ['GIF', Buffer.from('GIF89a..........'), /looks like GIF/],
    ['a cut-off JPEG', jpeg.subarray(0, jpeg.length * 0.7), /damaged JPEG: Premature end/],
    ['a JPEG without its last two bytes', jpeg.subarray(0, -2), /damaged JPEG: Premature end/],
    ['a JPEG header alone', jpeg.subarray(0, 30), /damaged JPEG/],
    ['a JPEG damaged inside', middle, /damaged JPEG/],
    ['a cut-off PNG', png.subarray(0, png.length / 2), /damaged PNG: the file ends too early/],
    ['a PNG with a wrong checksum', crc, /damaged PNG/],
    ['an image of 40,000 x 40,000 pixels', wide, /megapixels|damaged PNG: IHDR/],
  ]
  for (const [name, file, message] of cases) await t.rejects(bgr(file), { code: 'ERR_DATA', message: message as never }, name)
  const bomb = Buffer.from(jpeg)
  const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]))
  bomb.writeUInt16BE(40_000, frame + 5)
  bomb.writeUInt16BE(40_000, frame + 7)
  await t.rejects(bgr(bomb), { code: 'ERR_DATA', message: /at most 64 megapixels, found 40000 x 40000/ })
  t.end()
})

t.test('thousands of random mutations never do more than throw', async (t) => {
  const originals = [
    await picture(4).jpeg().toBuffer(),
    await picture(4).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    await picture(4).png().toBuffer(),
    await picture(4).png({ palette: true, progressive: true }).toBuffer(),
  ]
  let state = 1
  const below = (n: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  let [decoded, refused] = [0, 0]
  for (let round = 0; round < 4000; round++) {
    const original = originals[round % originals.length]!
    const file = Buffer.from(below(8) === 0 ? original.subarray(0, below(original.length)) : original)
    for (let change = below(8); change >= 0 && file.length > 0; change--) file[below(file.length)] = below(256)
    try {
      await bgr(file)
      decoded++
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_DATA') throw error
      refused++
    }
  }
  t.ok(decoded > 0 && refused > 1000, `${decoded} decoded, ${refused} refused`)
  t.end()
})

t.test('augmentations do what their names say', async (t) => {
  const image = await bgr(await picture(5, 112, 112).png().toBuffer())
  const apply = (name: string, values: Record<string, number> = {}, seed = 1) =>
    addon().augmentImage(image, [{ name, probability: 1, values }], 'bgr', seed)
  const pixels = bytes(image)
  const flipped = bytes(apply('flip'))
  t.same(flipped.subarray(0, 3), pixels.subarray(111 * 3, 112 * 3))
  const blue = bytes(apply('grey_blue'))
  const grey = bytes(apply('grey'))
  t.ok(blue.every((value, i) => value === (i % 3 === 0 ? grey[i] : pixels[i])))
  t.ok(differences(apply('blur', { sigma: 3 }), image)[3]! > 1000)
  t.ok(differences(apply('jpeg', { min_quality: 5, max_quality: 6 }), image)[3]! > 1000)
  t.same(differences(apply('color_jitter', { brightness: 0, contrast: 0, saturation: 0 }), image).slice(1), [0, 0, 0])
  const erased = bytes(apply('erase', { min_area: 0.1, max_area: 0.1 }))
  const changed = erased.filter((value, i) => value !== pixels[i]).length / erased.length
  t.ok(Math.abs(changed - 0.1) < 0.01, `${changed} of the image erased`)
  for (const name of ['crop', 'rotate', 'rotate_corner', 'downscale']) {
    const values = { margin: 9, degrees: 10, min_scale: 0.3 }
    t.equal(digest(apply(name, values, 3)), digest(apply(name, values, 3)), `${name} repeats itself with the same seed`)
    t.not(digest(apply(name, values, 3)), digest(apply(name, values, 4)), `${name} differs with another`)
    t.same(apply(name, values).shape, [112, 112, 3])
  }
  t.end()
})
