/**
 * Work on many images at once where one that fails is reported and the others go on, and where a second call goes on
 * from the files that the first one finished.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import sharp from 'sharp'

import { FacexError, messageOf } from '../../errors.js'
import type { NativeTensor } from '../../native.js'
import { unfinished } from '../output.js'

export interface JobOptions {
  /** Images at once. */
  readonly threads: number
  /** Ends between two images, with ERR_ABORTED. */
  readonly signal?: AbortSignal
  /** Called with the number of images done. */
  readonly onImage?: (done: number) => void
}

export interface JobReport {
  readonly made: number
  /** Were there before. */
  readonly present: number
  /** `place: reason`, in the order of the images. */
  readonly failures: readonly string[]
}

/** An image to work on. */
export interface Job {
  /** Where it is named, and its path, for messages. */
  readonly place: string
}

/**
 * Works on all items; `work` tells whether anything was to do.
 * @throws FacexError ERR_ABORTED when the signal ends it; what is finished stays
 */
export async function forEachImage<T extends Job>(items: Iterable<T>, { threads, signal, onImage }: JobOptions, work: (item: T, index: number) => Promise<'made' | 'present'>): Promise<JobReport> {
  const failures: string[] = []
  const counts = { made: 0, present: 0 }
  const queue = items[Symbol.iterator]()
  let [next, done] = [0, 0]
  const worker = async () => {
    for (let item = queue.next(); item.done !== true && !signal?.aborted; item = queue.next()) {
      const index = next++
      try {
        counts[await work(item.value, index)]++
      } catch (error) {
        failures[index] = `${item.value.place}: ${messageOf(error)}`
      }
      done++
      onImage?.(done)
    }
  }
  await Promise.all(Array.from({ length: threads }, worker))
  if (signal?.aborted) throw new FacexError('ERR_ABORTED', `stopped after ${done} images; the same command goes on from there`)
  // Without the holes of images that did not fail.
  return { ...counts, failures: failures.flat() }
}

/** Makes a file unless it is there; it appears complete or not at all. */
export async function makeOnce(file: string, content: () => Promise<Uint8Array>): Promise<'made' | 'present'> {
  if (existsSync(file)) return 'present'
  const bytes = await content()
  await mkdir(path.dirname(file), { recursive: true })
  const part = unfinished(file)
  try {
    await writeFile(part, bytes)
    await rename(part, file)
  } finally {
    await rm(part, { force: true })
  }
  return 'made'
}

/** RGB pixels as PNG, or as JPEG that loses as little as is reasonable. */
export function encodePicture({ shape, data }: NativeTensor, format: 'jpg' | 'png'): Promise<Buffer> {
  const [height, width] = shape as [number, number, number]
  const picture = sharp(new Uint8Array(data), { raw: { width, height, channels: 3 } })
  return (format === 'png' ? picture.png() : picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })).toBuffer()
}
