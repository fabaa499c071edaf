/**
 * Photographs for commands that compare faces: aligned ones are used as they are, others are aligned by a detector or a
 * landmark file, and what is neither is said.
 * @module
 */
import path from 'node:path'

import sharp from 'sharp'

import { alignFace, readPhotograph, TEMPLATE_NAME } from '../data/alignment.js'
import { chooseFaces, FaceDetector } from '../data/detector/detector.js'
import { openLandmarks, type FivePoints } from '../data/landmarks.js'
import { FacexError, messageOf } from '../errors.js'
import { addon, type NativeTensor } from '../native.js'
import type { Images } from '../evaluation/pair-set.js'
import type { OptionTable, OptionValues } from './options.js'
import type { OpenedWeights } from './weights.js'

export const faceOptions = { detector: { type: 'string' }, landmarks: { type: 'string' } } as const satisfies OptionTable

export const faceUsage = `--detector FILE    the photographs are not aligned: YuNet or SCRFD with landmarks finds the largest face in each; needs the
                   package onnxruntime-node
--landmarks FILE   the same by a line "path x y x y ..." for each photograph, with 5, 68 or 106 points in pixels
`

export interface FaceImages {
  readonly images: Images
  /** What makes the result doubtful. */
  readonly warnings: readonly string[]
}

/** Where the five points of a face are. */
type FindLandmarks = (file: string, photograph: NativeTensor) => Promise<FivePoints>

/**
 * The faces of the files as the model takes them.
 * @throws FacexError ERR_DATA for a photograph that does not decode, without a face, or whose landmarks are unknown;
 * ERR_CHECKPOINT for weights of another alignment; ERR_USAGE for both ways of alignment; ERR_SETUP without onnxruntime-node;
 * ERR_ABORTED when the signal ends it
 */
export async function openFaces(files: readonly string[], values: OptionValues<typeof faceOptions>, { models }: OpenedWeights, signal?: AbortSignal): Promise<FaceImages> {
  const side = Math.max(...models.map(({ preprocessing }) => preprocessing.width))
  if (values.landmarks !== undefined && values.detector !== undefined) throw new FacexError('ERR_USAGE', '--detector and --landmarks exclude each other')
  const find = values.detector !== undefined ? await detectorOf(values.detector) : values.landmarks !== undefined ? landmarksIn(values.landmarks) : undefined
  if (find === undefined) return { images: files, warnings: await sizesThatDiffer(files, side) }
  const other = models.map(({ preprocessing }) => preprocessing.alignment).find((name) => name !== undefined && name !== TEMPLATE_NAME)
  if (other !== undefined) {
    throw new FacexError('ERR_CHECKPOINT', `the weights were trained on faces aligned to ${other}, --detector and --landmarks align to ${TEMPLATE_NAME}: give aligned faces`)
  }
  const images: Uint8Array[] = []
  for (const file of files) {
    if (signal?.aborted) throw new FacexError('ERR_ABORTED', `stopped after ${images.length} of ${files.length} photographs`)
    images.push(await aligned(file, find, side))
  }
  return { images, warnings: [] }
}

/** Prints what is doubtful where it does not disturb the data. */
export function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
}

async function sizesThatDiffer(files: readonly string[], side: number): Promise<string[]> {
  const source = { kind: 'files', root: '', paths: Buffer.from(files.map((file) => `${file}\n`).join('')), labels: new Int32Array(files.length) } as const
  const { heights, widths } = await addon().inspectImages(source, { threads: 2, full: false })
  const differ = files.flatMap((file, i) => (heights[i] === 0 || (heights[i] === side && widths[i] === side) ? [] : [`${file} (${widths[i]} x ${heights[i]})`]))
  if (differ.length === 0) return []
  const others = differ.length > 3 ? ` and ${differ.length - 3} more` : ''
  const remedy = 'unless these are aligned faces of another size, the similarity means little. Align photographs with --detector MODEL.onnx or --landmarks FILE'
  return [`expected aligned faces of ${side} x ${side} pixels, found ${differ.slice(0, 3).join(', ')}${others}: ${remedy}`]
}

async function detectorOf(file: string): Promise<FindLandmarks> {
  const detector = await FaceDetector.open(file)
  return async (_, photograph) => {
    const [face] = chooseFaces(await detector.detect(photograph), 'largest', photograph.shape)
    if (face === undefined) throw new FacexError('ERR_DATA', 'the detector finds no face')
    return face.points
  }
}

function landmarksIn(file: string): FindLandmarks {
  const known = openLandmarks(file)
  const byPath = new Map(known.map((image) => [path.resolve(path.dirname(file), image.path), image.points]))
  const byName = new Map(known.map((image) => [path.basename(image.path), image.points]))
  const unique = byName.size === known.length
  return async (photo) => {
    const points = byPath.get(path.resolve(photo)) ?? (unique ? byName.get(path.basename(photo)) : undefined)
    if (points === undefined) throw new FacexError('ERR_DATA', `expected a line for it in ${file}, found none`)
    return points
  }
}

/** PNG of the aligned face: nothing is lost on the way to the model. */
async function aligned(file: string, find: FindLandmarks, side: number): Promise<Uint8Array> {
  try {
    const photograph = await readPhotograph(file)
    const face = alignFace(photograph, await find(file, photograph), side)
    return await sharp(new Uint8Array(face.data), { raw: { width: side, height: side, channels: 3 } }).png({ compressionLevel: 1 }).toBuffer()
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: ${messageOf(cause)}`, { cause })
  }
}
