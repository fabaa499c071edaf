/**
 * Aligns photographs by a landmark file into a folder of the same structure. A second call goes on where the first was
 * stopped: images that are there already are left alone.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'

import sharp from 'sharp'

import { messageOf } from '../../errors.js'
import { alignFace, readPhotograph } from '../alignment.js'
import type { LandmarkedImage } from '../landmarks.js'

export interface AlignOptions {
  /** Folder that the paths of the landmark file start from. */
  readonly root: string
  readonly out: string
  /** Side of the aligned images in pixels. */
  readonly size: number
  readonly format: 'jpg' | 'png'
  /** Photographs at once. */
  readonly threads: number
  readonly onImage?: (done: number) => void
}

export interface AlignReport {
  readonly aligned: number
  /** Were there before. */
  readonly present: number
  /** `path: reason` */
  readonly failures: readonly string[]
}

export async function alignPhotographs(images: readonly LandmarkedImage[], options: AlignOptions): Promise<AlignReport> {
  const failures: string[] = []
  let [aligned, present, next, done] = [0, 0, 0, 0]
  const work = async () => {
    while (next < images.length) {
      const image = images[next++]!
      const file = path.join(options.out, image.path.replace(/\.[^./]+$/, '') + `.${options.format}`)
      try {
        if (existsSync(file)) present++
        else {
          await alignOne(image, file, options)
          aligned++
        }
      } catch (error) {
        failures.push(`${image.path}: ${messageOf(error)}`)
      }
      options.onImage?.(++done)
    }
  }
  await Promise.all(Array.from({ length: options.threads }, work))
  return { aligned, present, failures: failures.sort() }
}

async function alignOne(image: LandmarkedImage, file: string, { root, size, format }: AlignOptions): Promise<void> {
  const face = alignFace(await readPhotograph(path.resolve(root, image.path)), image.points, size)
  await mkdir(path.dirname(file), { recursive: true })
  // Under another name first: a file that is there is complete.
  const unfinished = `${file}.part`
  const picture = sharp(new Uint8Array(face.data), { raw: { width: size, height: size, channels: 3 } })
  try {
    await (format === 'png' ? picture.png() : picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })).toFile(unfinished)
    await rename(unfinished, file)
  } finally {
    await rm(unfinished, { force: true })
  }
}
