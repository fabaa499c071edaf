/**
 * Alignment of a face by five landmarks to the template of ArcFace (Deng et al., CVPR 2019): the similarity transform
 * that fits best in the sense of least squares (Umeyama, PAMI 1991), without reflection.
 * @module
 */
import { readFile } from 'node:fs/promises'

import sharp from 'sharp'

import { FacexError, messageOf } from '../errors.js'
import { addon, type NativeTensor } from '../native.js'
import type { FivePoints } from './landmarks.js'

/** Name of the template in checkpoints. */
export const TEMPLATE_NAME = 'arcface'
/** Where the five points go in an image of 112 x 112. */
export const ARCFACE_TEMPLATE: FivePoints = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041]
export const TEMPLATE_SIZE = 112

/** Row-major 2x3, source to destination. */
export type Transform = readonly [number, number, number, number, number, number]

/**
 * The similarity transform from `from` to `to`.
 * @throws FacexError ERR_DATA when all points coincide
 */
export function similarityTransform(from: FivePoints, to: FivePoints): Transform {
  const [fromX, fromY] = mean(from)
  const [toX, toY] = mean(to)
  // With points as complex numbers the best rotation and scale is one complex number a + ib.
  let [a, b, spread] = [0, 0, 0]
  for (let i = 0; i < from.length; i += 2) {
    const [x, y, u, v] = [from[i]! - fromX, from[i + 1]! - fromY, to[i]! - toX, to[i + 1]! - toY]
    a += x * u + y * v
    b += x * v - y * u
    spread += x * x + y * y
  }
  if (!(spread > 1e-9)) throw new FacexError('ERR_DATA', 'the landmarks are all at one place')
  a /= spread
  b /= spread
  return [a, -b, toX - a * fromX + b * fromY, b, a, toY - b * fromX - a * fromY]
}

function mean(points: FivePoints): [number, number] {
  const half = points.length / 2
  const sum = (offset: number) => points.reduce((total, value, i) => (i % 2 === offset ? total + value : total), 0)
  return [sum(0) / half, sum(1) / half]
}

/** The transform of a face with these landmarks to an aligned image of `size` x `size`. */
export function alignmentTransform(points: FivePoints, size = TEMPLATE_SIZE): Transform {
  return similarityTransform(points, ARCFACE_TEMPLATE.map((value) => (value * size) / TEMPLATE_SIZE))
}

/** Any format that sharp reads, as RGB pixels; landmarks refer to the image as stored, so it is not turned by EXIF. */
export async function readPhotograph(file: string | Buffer): Promise<NativeTensor> {
  const encoded = typeof file === 'string' ? await readFile(file) : file
  // Our own decoder first: it is the one whose pixels are known to the last bit.
  if (encoded[0] === 0xff || encoded[0] === 0x89) return await addon().decodeImage(encoded, 'rgb')
  try {
    const { data, info } = await sharp(encoded).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    const copy = new Uint8Array(data).buffer
    return { name: 'image', dtype: 'uint8', shape: [info.height, info.width, 3], data: copy }
  } catch (cause) {
    throw new FacexError('ERR_DATA', messageOf(cause), { cause })
  }
}

/** The aligned face as RGB pixels. */
export function alignFace(photograph: NativeTensor, points: FivePoints, size = TEMPLATE_SIZE): NativeTensor {
  return addon().warpAffine(photograph, alignmentTransform(points, size), size, size)
}
