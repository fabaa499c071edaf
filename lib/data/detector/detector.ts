/**
 * Finds faces and their five landmarks in photographs with a detector in an ONNX file.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf } from '../../errors.js'
import { addon, type NativeTensor } from '../../native.js'
import { findOnnxRuntime, type OnnxRuntime, type OnnxSession } from '../../setup/onnx-runtime.js'
import { areaOf, withoutOverlaps, type DetectedFace } from './anchors.js'
import type { DetectorFamily } from './family.js'
import { scrfd } from './scrfd.js'
import { yunet } from './yunet.js'

const FAMILIES: readonly DetectorFamily[] = [yunet, scrfd]
/** Photographs are brought to this size, the one that both families were trained and are exported at. */
const SIZE = 640
const LEAST_SCORE = 0.5
/** Small photographs are enlarged by no more than this: landmarks of faces larger than the networks know are worse. */
const LARGEST_SCALE = 2

/** Which of the faces in a photograph are wanted. */
export type FaceChoice = 'largest' | 'central' | 'all'
export const FACE_CHOICES: readonly FaceChoice[] = ['largest', 'central', 'all']

export class FaceDetector {
  readonly #runtime: OnnxRuntime
  readonly #session: OnnxSession
  readonly #family: DetectorFamily

  private constructor(runtime: OnnxRuntime, session: OnnxSession, family: DetectorFamily) {
    this.#runtime = runtime
    this.#session = session
    this.#family = family
  }

  /**
   * @throws FacexError ERR_SETUP without onnxruntime-node, ERR_DATA for a file that is no detector of a known family
   */
  static async open(file: string, threads?: number): Promise<FaceDetector> {
    const found = await findOnnxRuntime()
    if ('problem' in found) {
      throw new FacexError('ERR_SETUP', `a face detector needs the package onnxruntime-node, which could not be loaded (${found.problem}). Run: npm install onnxruntime-node`)
    }
    let session: OnnxSession
    try {
      session = await found.runtime.InferenceSession.create(readFileSync(file), threads === undefined ? {} : { intraOpNumThreads: threads })
    } catch (cause) {
      throw new FacexError('ERR_DATA', `${file}: the detector cannot be loaded: ${messageOf(cause)}`, { cause })
    }
    const family = FAMILIES.find((known) => known.matches(session.outputNames))
    if (family === undefined) {
      throw new FacexError('ERR_DATA', `${file}: expected a detector with five landmarks of ${FAMILIES.map(({ name }) => name).join(' or ')}, found a network with the outputs ${session.outputNames.join(', ')}`)
    }
    return new FaceDetector(found.runtime, session, family)
  }

  /**
   * Faces in the photograph, the most certain first.
   * @param photograph uint8 [H, W, 3], RGB
   */
  async detect(photograph: NativeTensor): Promise<DetectedFace[]> {
    const found = await this.#search(photograph, 0)
    // A face that fills its picture is found when there is something around it.
    return found.length > 0 ? found : this.#search(photograph, 0.5)
  }

  /** @param border black margin on each side, as a share of the longer side */
  async #search(photograph: NativeTensor, border: number): Promise<DetectedFace[]> {
    const [height, width] = photograph.shape as [number, number, number]
    const scale = Math.min(LARGEST_SCALE, SIZE / (Math.max(height, width) * (1 + 2 * border)))
    const small = addon().resizeImage(photograph, Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale)))
    const offset = Math.round(border * Math.max(height, width) * scale)
    const input = new this.#runtime.Tensor('float32', planes(small, offset, this.#family.pixels), [1, 3, SIZE, SIZE])
    const outputs = await this.#session.run({ [this.#session.inputNames[0]!]: input })
    const faces = this.#family.decode(outputs, this.#session.outputNames, SIZE, LEAST_SCORE)
    const back = (value: number) => (value - offset) / scale
    return withoutOverlaps(faces).map(({ score, left, top, right, bottom, points }) => ({
      score,
      left: back(left),
      top: back(top),
      right: back(right),
      bottom: back(bottom),
      points: points.map(back),
    }))
  }
}

/** The image in a black square of SIZE, `offset` pixels from its upper left corner, as channels behind each other. */
function planes(image: NativeTensor, offset: number, { color, mean, std }: DetectorFamily['pixels']): Float32Array {
  const [height, width] = image.shape as [number, number, number]
  const pixels = new Uint8Array(image.data)
  const values = new Float32Array(3 * SIZE * SIZE).fill(-mean / std)
  for (let channel = 0; channel < 3; channel++) {
    const from = color === 'rgb' ? channel : 2 - channel
    for (let y = 0; y < Math.min(height, SIZE - offset); y++) {
      const row = channel * SIZE * SIZE + (y + offset) * SIZE + offset
      for (let x = 0; x < Math.min(width, SIZE - offset); x++) values[row + x] = (pixels[3 * (y * width + x) + from]! - mean) / std
    }
  }
  return values
}

/** The wanted faces: all from left to right, the largest, or the one nearest to the middle of the photograph. */
export function chooseFaces(faces: readonly DetectedFace[], choice: FaceChoice, [height, width]: readonly number[]): DetectedFace[] {
  if (choice === 'all') return [...faces].sort((a, b) => a.left - b.left)
  const middle = (face: DetectedFace) => -Math.hypot((face.left + face.right - width!) / 2, (face.top + face.bottom - height!) / 2)
  const rank = choice === 'largest' ? areaOf : middle
  return faces.length === 0 ? [] : [faces.reduce((best, face) => (rank(face) > rank(best) ? face : best))]
}
