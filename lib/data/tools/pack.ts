/**
 * Between files and RecordIO: packing keeps the images' bytes, so that unpacking gives them back unchanged.
 * @module
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { FacexError, fromNative, messageOf } from '../../errors.js'
import type { Dataset } from '../dataset.js'
import { onDisk, writeOutput } from '../output.js'
import { RecordWriter } from '../record-writer.js'
import { encodedImages } from './encoded.js'
import type { JobOptions } from './image-jobs.js'

export type PackOptions = Omit<JobOptions, 'threads'>

/**
 * Writes all images to `file` (.rec) and its index. After an error no half-written file stays.
 * @throws FacexError ERR_DATA where one of the two exists, or naming the image that cannot be read; ERR_ABORTED
 */
export async function packDataset(dataset: Dataset, file: string, options: PackOptions = {}): Promise<void> {
  onDisk(file, () => mkdirSync(path.dirname(file), { recursive: true }))
  const writer = new RecordWriter(file, dataset.size)
  try {
    for await (const { index, content } of contents(dataset, options)) writer.add(dataset.labels[index]!, content)
  } catch (error) {
    writer.discard()
    throw error
  }
  writer.close()
}

/**
 * Writes all images as files, one folder a class, and `train.txt` with the paths from `folder`.
 * @throws FacexError ERR_DATA where `folder` holds something, or naming the image that cannot be read; ERR_ABORTED
 */
export async function unpackDataset(dataset: Dataset, folder: string, options: PackOptions = {}): Promise<void> {
  if (existsSync(folder) && onDisk(folder, () => readdirSync(folder)).length > 0) throw new FacexError('ERR_DATA', `${folder}: expected a new or an empty folder; remove it or choose another name`)
  const digits = String(dataset.classCount - 1).length
  const lines: string[] = []
  for await (const { index, content } of contents(dataset, options)) {
    const label = dataset.labels[index]!
    const name = String(label).padStart(digits, '0')
    const file = `${name}/${String(index).padStart(9, '0')}.${content[0] === 0x89 ? 'png' : 'jpg'}`
    writeOutput(path.join(folder, file), content, { flag: 'wx' })
    lines.push(`${file} ${label}\n`)
  }
  writeOutput(path.join(folder, 'train.txt'), lines.join(''), { flag: 'wx' })
}

/** Images between two looks at signals and timers. */
const RUN = 64

/** The images' bytes in order. */
async function* contents(dataset: Dataset, { signal, onImage }: PackOptions): AsyncGenerator<{ index: number; content: Buffer }> {
  let index = 0
  for (const image of encodedImages(dataset)) {
    if (index % RUN === 0) await setImmediate()
    if (signal?.aborted) throw new FacexError('ERR_ABORTED', `stopped after ${index} of ${dataset.size} images`)
    let content: Buffer
    try {
      content = image.read()
    } catch (thrown) {
      const cause = fromNative(thrown)
      throw cause instanceof FacexError ? new FacexError(cause.code, `${image.place}: ${messageOf(cause)}`, { cause }) : cause
    }
    yield { index, content }
    index++
    onImage?.(index)
  }
}
