/**
 * Aligns photographs by a landmark file into a folder of the same structure. A second call goes on where the first was
 * stopped: images that are there already are left alone.
 * @module
 */
import path from 'node:path'

import { alignFace, readPhotograph } from '../alignment.js'
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
  const jobs = images.map((image) => ({ ...image, name: image.path }))
  return forEachImage(jobs, options, ({ path: name, points }) => {
    const file = path.join(out, `${name.replace(/\.[^./]+$/, '')}.${format}`)
    return makeOnce(file, async () => encodePicture(alignFace(await readPhotograph(path.resolve(root, name)), points, size), format))
  })
}
