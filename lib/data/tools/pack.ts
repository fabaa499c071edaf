/**
 * Between files and RecordIO: packing keeps the images' bytes, so that unpacking gives them back unchanged.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError } from '../../errors.js'
import type { Dataset } from '../dataset.js'
import { RecordWriter } from '../record-writer.js'
import { encodedImages } from './encoded.js'

/**
 * Writes all images to `file` (.rec) and its index. After an error no half-written file stays.
 * @param onImage called with the number of images done
 * @throws FacexError ERR_DATA where one of the two exists
 */
export function packDataset(dataset: Dataset, file: string, onImage: (done: number) => void = () => {}): void {
  mkdirSync(path.dirname(file), { recursive: true })
  const writer = new RecordWriter(file, dataset.size)
  try {
    let done = 0
    for (const image of encodedImages(dataset.source)) {
      writer.add(dataset.labels[done]!, image.read())
      onImage(++done)
    }
  } catch (error) {
    writer.discard()
    throw error
  }
  writer.close()
}

/**
 * Writes all images as files, one folder a class, and `train.txt` with the paths from `folder`.
 * @param onImage called with the number of images done
 * @throws FacexError ERR_DATA where `folder` holds something
 */
export function unpackDataset(dataset: Dataset, folder: string, onImage: (done: number) => void = () => {}): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new FacexError('ERR_DATA', `${folder}: expected a new or an empty folder`)
  const digits = String(dataset.classCount - 1).length
  const made = new Set<string>()
  const lines: string[] = []
  for (const image of encodedImages(dataset.source)) {
    const content = image.read()
    const index = lines.length
    const label = dataset.labels[index]!
    const name = String(label).padStart(digits, '0')
    if (!made.has(name)) mkdirSync(path.join(folder, name), { recursive: true })
    made.add(name)
    const file = `${name}/${String(index).padStart(9, '0')}.${content[0] === 0x89 ? 'png' : 'jpg'}`
    writeFileSync(path.join(folder, file), content, { flag: 'wx' })
    lines.push(`${file} ${label}\n`)
    onImage(lines.length)
  }
  writeFileSync(path.join(folder, 'train.txt'), lines.join(''), { flag: 'wx' })
}
