/**
 * Masked copies of faces: for training beside the originals under the same identities, or for masked test pairs alone.
 * A second call goes on where the first was stopped.
 * @module
 */
import path from 'node:path'

import { FacexError } from '../../errors.js'
import { ARCFACE_TEMPLATE, readPhotograph, TEMPLATE_SIZE } from '../alignment.js'
import type { FaceLandmarks } from '../landmarks.js'
import { wearMask } from '../mask/wear-mask.js'
import { MaskTextures } from '../mask/textures.js'
import type { MaskStyle } from '../mask/style.js'
import { Random } from '../random.js'
import { Draw } from '../synthetic/draw.js'
import type { EncodedImage } from './encoded.js'
import { encodePicture, forEachImage, makeOnce, type JobOptions, type JobReport } from './image-jobs.js'

/** Records have names without an extension. */
const IMAGE = /\.(jpe?g|png)$/i

export interface MaskOptions extends JobOptions {
  readonly out: string
  /** One is drawn for each image. */
  readonly styles: readonly MaskStyle[]
  /** By the images' names; without, the images are taken for aligned faces. */
  readonly landmarks?: ReadonlyMap<string, FaceLandmarks>
  /** Masked faces under the names of the originals, and no originals. */
  readonly only: boolean
  readonly seed: number
}

export interface MaskReport extends JobReport {
  /** Files below `out` of each image in order; empty where it failed. */
  readonly files: readonly (readonly string[])[]
}

export async function maskFaces(images: Iterable<EncodedImage>, options: MaskOptions): Promise<MaskReport> {
  const textures = new MaskTextures()
  const files: string[][] = []
  const report = await forEachImage(images, options, async (image, index) => {
    files[index] = []
    const name = IMAGE.test(image.name) ? nameBelow(image.name) : `${nameBelow(image.name)}.jpg`
    const masked = options.only ? name : `${stemOf(name)}_masked${extensionOf(name)}`
    const state = await makeOnce(path.join(options.out, masked), () => maskOne(image, options, textures))
    if (!options.only) await makeOnce(path.join(options.out, name), () => Promise.resolve(image.read()))
    files[index] = options.only ? [masked] : [name, masked]
    return state
  })
  return { ...report, files }
}

async function maskOne(image: EncodedImage, { styles, landmarks, seed }: MaskOptions, textures: MaskTextures): Promise<Uint8Array> {
  const face = await readPhotograph(image.read())
  // By name, not by number: an image looks the same in any list and order.
  const random = new Random(seed, ...Buffer.from(image.name))
  const style = new Draw(random.next()).pick(styles)
  const masked = await wearMask(face, landmarks === undefined ? alignedLandmarks(face.shape) : landmarksOf(image.name, landmarks), style, textures, random.next())
  return encodePicture(masked, extensionOf(image.name) === '.png' ? 'png' : 'jpg')
}

function landmarksOf(name: string, landmarks: ReadonlyMap<string, FaceLandmarks>): FaceLandmarks {
  const found = landmarks.get(name)
  if (found === undefined) throw new FacexError('ERR_DATA', 'the landmark file has no line for this image')
  return found
}

/** Where an aligned face of any size has its landmarks. */
function alignedLandmarks([height, width]: readonly number[]): FaceLandmarks {
  if (height !== width) throw new FacexError('ERR_DATA', `expected an aligned face as wide as high, found ${width} x ${height}; give landmarks for photographs`)
  return { points: ARCFACE_TEMPLATE.map((value) => (value * width!) / TEMPLATE_SIZE) }
}

/** A list may name files anywhere; what is written stays below the folder. */
function nameBelow(name: string): string {
  return path.posix.normalize(`/${name}`).slice(1)
}

/** In small letters, as the masked copy has it. */
function extensionOf(name: string): string {
  return path.posix.extname(name).toLowerCase()
}

function stemOf(name: string): string {
  return name.replace(IMAGE, '')
}
