/**
 * `facex align`: photographs to aligned faces.
 * @module
 */
import { availableParallelism } from 'node:os'

import { FACE_CHOICES, FaceDetector, type FaceChoice } from '../data/detector/detector.js'
import { imagesBelow, openImageList } from '../data/image-list.js'
import { openLandmarks } from '../data/landmarks.js'
import { alignDetected, alignPhotographs, type AlignOptions } from '../data/tools/align.js'
import { FacexError, unknownName } from '../errors.js'
import { underBar } from '../report/count-bar.js'
import { failureLines } from './failures.js'
import { interruptible } from './interrupts.js'
import { parseOptions, wholeNumber } from './options.js'

export const usage = `Usage: facex align --landmarks FILE --root DIR --out DIR [OPTIONS]
       facex align --detector MODEL.onnx --root DIR --out DIR [OPTIONS]

Cuts faces out of photographs: five landmarks are moved to the ArcFace template by a similarity transform.

--landmarks FILE   a line "path x y x y ..." for each photograph, with 5, 68 or 106 points in pixels
--detector FILE    YuNet or SCRFD with landmarks; needs the package onnxruntime-node
--root DIR         folder that those paths start from
--list FILE        with --detector: a path a line; without, all pictures below --root
--faces WHICH      with --detector: largest (default), central or all
--out DIR          folder of the aligned faces; those that are there already are kept, so that a second run goes on
--size N           side in pixels, 112 by default
--format F         jpg (quality 95, default) or png
--threads N        photographs at once; all cores by default
--json             the report for machines
Photographs that fail are listed with the reason in DIR/failures.txt, and the exit status is 1. Ctrl-C ends between two
photographs; the same command goes on from there.
`

const OPTIONS = {
  landmarks: { type: 'string' },
  detector: { type: 'string' },
  root: { type: 'string' },
  list: { type: 'string' },
  faces: { type: 'string' },
  out: { type: 'string' },
  size: { type: 'string' },
  format: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean' },
} as const

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, OPTIONS)
  const { landmarks, detector, root, out, list, faces = 'largest', format = 'jpg' } = values
  if ((landmarks === undefined) === (detector === undefined) || root === undefined || out === undefined) {
    throw new FacexError('ERR_USAGE', `expected --landmarks or --detector, --root and --out\n\n${usage}`)
  }
  if (format !== 'jpg' && format !== 'png') throw new FacexError('ERR_USAGE', `--format: expected jpg or png, received "${format}"`)
  if (!FACE_CHOICES.includes(faces as FaceChoice)) throw new FacexError('ERR_USAGE', `--faces: ${unknownName('choice', faces, FACE_CHOICES)}`)
  const threads = wholeNumber('threads', values.threads) ?? availableParallelism()
  const size = wholeNumber('size', values.size) ?? 112
  return interruptible(async (signal) => {
    const report = await underBar('aligning', async (update) => {
      const options = (count: number): AlignOptions => ({ root, out, size, format, threads, signal, onImage: (done) => update(done, count) })
      if (landmarks !== undefined) {
        const images = openLandmarks(landmarks)
        return alignPhotographs(images, options(images.length))
      }
      const images = list === undefined ? imagesBelow(root) : openImageList(list)
      return alignDetected(images, await FaceDetector.open(detector!, threads), faces as FaceChoice, options(images.names.length))
    })
    const { made, present, failures } = report
    const text = [`${made} aligned, ${present} there before, ${failures.length} failed`, ...failureLines(failures, out)]
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${text.join('\n')}\n`)
    return failures.length === 0 ? 0 : 1
  })
}
