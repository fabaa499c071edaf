/**
 * Masked copies of faces: for training beside the originals under the same identities, or for masked test pairs alone.
 * A second call goes on where the first was stopped.
 * @module
 */
import path from 'node:path'

import type { NativeTensor } from '../../native.js'
import { readPhotograph } from '../alignment.js'
import type { FindLandmarks } from '../mask/find-landmarks.js'
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
  readonly landmarks: FindLandmarks
  /** Masked faces under the names of the originals, and no originals. */
  readonly only: boolean
  readonly seed: number
}

export interface MaskReport extends JobReport {
  /** Files below `out` of each image in order: none where it cannot be read, the original alone where it got no mask. */
  readonly files: readonly (readonly string[])[]
}

export async function maskFaces(images: Iterable<EncodedImage>, options: MaskOptions): Promise<MaskReport> {
  const textures = new MaskTextures()
  const files: string[][] = []
  const report = await forEachImage(images, options, async (image, index) => {
    const name = IMAGE.test(image.name) ? nameBelow(image.name) : `${nameBelow(image.name)}.jpg`
    const masked = options.only ? name : `${stemOf(name)}_masked${extensionOf(name)}`
    const keepOriginal = async () => {
      if (options.only) return
      await makeOnce(path.join(options.out, name), () => Promise.resolve(image.read()))
      files[index] = [name]
    }
    files[index] = []
    const state = await makeOnce(path.join(options.out, masked), async () => {
      const face = await readPhotograph(image.read())
      // Also where no mask can be put on it: the face was in the data set and stays there.
      await keepOriginal()
      return maskOne(image.name, face, options, textures)
    })
    await keepOriginal()
    files[index].push(masked)
    return state
  })
  return { ...report, files }
}

async function maskOne(name: string, face: NativeTensor, { styles, landmarks, seed }: MaskOptions, textures: MaskTextures): Promise<Uint8Array> {
  // By name, not by number: an image looks the same in any list and order.
  const random = new Random(seed, ...Buffer.from(name))
  const style = new Draw(random.next()).pick(styles)
  const masked = await wearMask(face, await landmarks(name, face), style, textures, random.next())
  return encodePicture(masked, extensionOf(name) === '.png' ? 'png' : 'jpg')
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
