/**
 * The three ways to know where a face is: it is aligned, a file says so, a detector finds it.
 * @module
 */
import { FacexError } from '../../errors.js'
import type { NativeTensor } from '../../native.js'
import { ARCFACE_TEMPLATE, TEMPLATE_SIZE } from '../alignment.js'
import { chooseFaces, type FaceDetector } from '../detector/detector.js'
import { openLandmarks, type FaceLandmarks } from '../landmarks.js'

/** @throws FacexError ERR_DATA where there are none */
export type FindLandmarks = (name: string, picture: NativeTensor) => FaceLandmarks | Promise<FaceLandmarks>

/** Where an aligned face of any size has its landmarks. */
export const alignedLandmarks: FindLandmarks = (_name, { shape: [height, width] }) => {
  if (height !== width) throw new FacexError('ERR_DATA', `expected an aligned face as wide as high, found ${width} x ${height}; give --landmarks or --detector for photographs`)
  return { points: ARCFACE_TEMPLATE.map((value) => (value * width!) / TEMPLATE_SIZE) }
}

export function landmarksOfFile(file: string): FindLandmarks {
  const known = new Map(openLandmarks(file).map((image) => [image.path, image]))
  return (name) => {
    const found = known.get(name)
    if (found === undefined) throw new FacexError('ERR_DATA', `${file} has no line for this image`)
    return found
  }
}

/** Of several faces the one in the middle: data sets are cut around the person that they are of. */
export function detectedLandmarks(detector: FaceDetector): FindLandmarks {
  return async (_name, picture) => {
    const [face] = chooseFaces(await detector.detect(picture), 'central', picture.shape)
    if (face === undefined) throw new FacexError('ERR_DATA', 'no face found')
    return face
  }
}
