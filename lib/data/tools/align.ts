/**
 * Aligns photographs, by a landmark file or a detector, into a folder of the same structure. A second call goes on where
 * the first was stopped: images that are there already are left alone.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { FacexError } from '../../errors.js'
import { alignFace, readPhotograph } from '../alignment.js'
import { chooseFaces, type FaceChoice, type FaceDetector } from '../detector/detector.js'
import type { ImageList } from '../image-list.js'
import type { LandmarkedImage } from '../landmarks.js'
import { encodePicture, forEachImage, makeOnce, type JobOptions, type JobReport } from './image-jobs.js'

export interface AlignOptions extends JobOptions {
  /** Folder that the paths of the landmark file start from. */
  readonly root: string
  readonly out: string
  /** Side of the aligned images in pixels. */
  readonly size: number
  readonly format: 'jpg' | 'png'
}

/** Photographs that cannot be read are among the failures. */
export function alignPhotographs(images: readonly LandmarkedImage[], options: AlignOptions): Promise<JobReport> {
  const { root, out, size, format } = options
  const names = new FaceNames(out)
  return forEachImage(images, options, async ({ path: name, place, points }) => {
    const stem = names.take(name, place)
    return makeOnce(`${stem}.${format}`, async () => encodePicture(alignFace(await readPhotograph(path.resolve(root, name)), points, size), format))
  })
}

/** Faces lose the extension of their photograph: `a.jpg` and `a.png` cannot both have one, nor two faces of one line each. */
class FaceNames {
  readonly #out: string
  readonly #taken = new Map<string, string>()

  constructor(out: string) {
    this.#out = out
  }

  /** Path of the face without its extension. @throws FacexError ERR_DATA where another photograph has it */
  take(name: string, place: string): string {
    const stem = path.join(this.#out, name.replace(/\.[^./]+$/, ''))
    const other = this.#taken.get(stem)
    if (other !== undefined) throw new FacexError('ERR_DATA', `its face would have the name of that of ${other}`)
    this.#taken.set(stem, place)
    return stem
  }
}

/** Aligns the faces that the detector finds in the photographs; with `all`, `name_0`, `name_1` ... from left to right. */
export function alignDetected({ names, place }: ImageList, detector: FaceDetector, choice: FaceChoice, options: AlignOptions): Promise<JobReport> {
  const { root, out, size, format } = options
  const jobs = names.map((name, index) => ({ name, place: place(index) }))
  const taken = new FaceNames(out)
  return forEachImage(jobs, options, async ({ name, place: where }) => {
    const stem = taken.take(name, where)
    const fileOf = (face: number) => `${stem}${choice === 'all' ? `_${face}` : ''}.${format}`
    if (existsSync(fileOf(0))) return 'present'
    const photograph = await readPhotograph(path.resolve(root, name))
    const faces = chooseFaces(await detector.detect(photograph), choice, photograph.shape)
    if (faces.length === 0) throw new FacexError('ERR_DATA', 'no face found')
    // The first one last: where it is, the others are.
    for (const face of [...faces.keys()].reverse()) await makeOnce(fileOf(face), () => encodePicture(alignFace(photograph, faces[face]!.points, size), format))
    return 'made'
  })
}
