/**
 * `facex dataset mask`.
 * @module
 */
import { availableParallelism } from 'node:os'
import path from 'node:path'

import { FaceDetector } from '../../data/detector/detector.js'
import { openImageList } from '../../data/image-list.js'
import type { MaskStyle } from '../../data/mask/style.js'
import { MASK_STYLES } from '../../data/mask/styles/index.js'
import { pictureStyle } from '../../data/mask/textures.js'
import { writeOutput } from '../../data/output.js'
import { encodedImages, listedImages, type EncodedImage } from '../../data/tools/encoded.js'
import { listText } from '../../data/tools/list-text.js'
import { alignedLandmarks, detectedLandmarks, landmarksOfFile, type FindLandmarks } from '../../data/mask/find-landmarks.js'
import { maskFaces } from '../../data/tools/mask.js'
import { sourceAt } from '../../data/tools/source-at.js'
import { FacexError, unknownName } from '../../errors.js'
import { underBar } from '../../report/count-bar.js'
import { failureLines } from '../failures.js'
import { interruptible } from '../interrupts.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, printResult, seedOf, type Action, type Values } from './action.js'

export const mask: Action = {
  takes: ['out', 'threads', 'landmarks', 'detector', 'style', 'texture', 'only', 'seed'],
  async run(sources, values) {
    const out = outOf(values)
    const styles = await stylesOf(values)
    const threads = wholeNumber('threads', values.threads) ?? availableParallelism()
    const landmarks = await landmarksFrom(values, threads)
    const { images, count, labels } = await imagesOf(sources, values)
    const options = { out, styles, landmarks, only: values.only ?? false, seed: seedOf(values), threads }
    return interruptible(async (signal) => {
      const { made, present, failures, files } = await underBar('masking', (update) => maskFaces(images, { ...options, signal, onImage: (done) => update(done, count) }))
      const list = path.join(out, 'train.txt')
      const entries = labels === undefined ? [] : files.flatMap((names, i) => names.map((name) => ({ name, label: labels[i]! })))
      if (labels !== undefined) writeOutput(list, listText(entries))
      printResult(values, { made, present, failures, ...(labels !== undefined && { list }) }, [
        `${made} masked, ${present} there before, ${failures.length} failed`,
        ...failureLines(failures, out),
        ...(labels === undefined ? [] : [`${list}: ${entries.length} images`]),
      ])
      return failures.length === 0 ? 0 : 1
    })
  },
}

/** Without file and detector the faces are taken for aligned ones. */
async function landmarksFrom(values: Values, threads: number): Promise<FindLandmarks> {
  if (values.landmarks !== undefined && values.detector !== undefined) throw new FacexError('ERR_USAGE', 'expected one of --landmarks and --detector')
  if (values.landmarks !== undefined) return landmarksOfFile(values.landmarks)
  return values.detector === undefined ? alignedLandmarks : detectedLandmarks(await FaceDetector.open(values.detector, threads))
}

/** Test images alone need no labels. */
async function imagesOf(sources: readonly string[], values: Values): Promise<{ images: Iterable<EncodedImage>; count: number; labels?: Int32Array }> {
  const source = sourceAt(sources[0]!, values.root)
  if (values.only && sources.length === 1 && source.kind === 'list') {
    const list = openImageList(source.list)
    return { images: listedImages(source.root, list), count: list.names.length }
  }
  const dataset = await openSources(sources, values)
  return { images: encodedImages(dataset), count: dataset.size, labels: dataset.labels }
}

async function stylesOf(values: Values): Promise<readonly MaskStyle[]> {
  if (values.texture !== undefined && values.style !== undefined) throw new FacexError('ERR_USAGE', 'expected one of --style and --texture')
  if (values.texture !== undefined) return [await pictureStyle(values.texture)]
  if (values.style === undefined) return MASK_STYLES
  return values.style.split(',').map((name) => {
    const style = MASK_STYLES.find((known) => known.name === name.trim())
    if (style === undefined) throw new FacexError('ERR_USAGE', `--style: ${unknownName('style', name, MASK_STYLES.map((known) => known.name))}`)
    return style
  })
}
