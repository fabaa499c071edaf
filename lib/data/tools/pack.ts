/**
 * Between files and RecordIO: packing keeps the images' bytes, so that unpacking gives them back unchanged.
 * @module
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import type { Dataset } from '../dataset.js'
import { RecordWriter } from '../record-writer.js'
import { indexFileOf } from '../records.js'
import { encodedImages } from './encoded.js'

/**
 * Writes all images to `file` (.rec) and its index; neither may exist. After an error no half-written file stays.
 * @param onImage called with the number of images done
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
    writer.close()
  } catch (error) {
    writer.close()
    rmSync(file)
    rmSync(indexFileOf(file))
    throw error
  }
}

/**
 * Writes all images as files, one folder a class, and `train.txt` with the paths from `folder`.
 * @param onImage called with the number of images done
 */
export function unpackDataset(dataset: Dataset, folder: string, onImage: (done: number) => void = () => {}): void {
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
