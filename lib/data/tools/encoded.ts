/**
 * The encoded images of a data set one after the other, byte for byte as they are stored; each is read when asked for.
 * @module
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../../errors.js'
import { addon, type NativeSource } from '../../native.js'
import type { Dataset } from '../dataset.js'
import type { ImageList } from '../image-list.js'

export interface EncodedImage {
  /** Path below the source's root, or `000000123` for a record; behind `0/`, `1/` ... where several sources are mixed. */
  readonly name: string
  /** Where it is declared, and its path, for messages: `train.txt:12: Ann/1.jpg`. */
  readonly place: string
  /** @throws FacexError ERR_DATA with the reason, without the place */
  read(): Buffer
}

/** All images in the order of their indices. */
export function* encodedImages(dataset: Pick<Dataset, 'source' | 'describe' | 'size'>): Generator<EncodedImage> {
  const place = placesOf(dataset)
  let index = 0
  for (const image of imagesOf(dataset.source)) yield placed(image, index++, place)
}

/** Places that are asked for in one go: finding a line takes a walk through the list. */
const RUN = 4096

function placesOf({ size, describe }: Pick<Dataset, 'describe' | 'size'>): (index: number) => string {
  let [first, places] = [-1, [] as string[]]
  return (index) => {
    const begin = index - (index % RUN)
    if (begin !== first) [first, places] = [begin, describe(Array.from({ length: Math.min(RUN, size - begin) }, (_, i) => begin + i))]
    return places[index - begin]!
  }
}

/** The images of a list below `root`. */
export function* listedImages(root: string, { names, place }: ImageList): Generator<EncodedImage> {
  for (const [index, name] of names.entries()) yield placed(fileImage(root, name), index, place)
}

type Unplaced = Omit<EncodedImage, 'place'>

/** The place is made when a message needs it. */
function placed(image: Unplaced, index: number, place: (index: number) => string): EncodedImage {
  return {
    ...image,
    get place() {
      return place(index)
    },
  }
}

function* imagesOf(source: NativeSource): Generator<Unplaced> {
  switch (source.kind) {
    case 'files':
      for (const name of pathsOf(source.paths)) yield fileImage(source.root, name)
      return
    case 'records':
      for (const [index, position] of source.positions.entries()) {
        yield { name: String(index).padStart(9, '0'), read: () => addon().readRecord(source.file, position) }
      }
      return
    case 'mixed':
      for (const [i, part] of source.parts.entries()) for (const image of imagesOf(part)) yield { ...image, name: `${i}/${image.name}` }
  }
}

function fileImage(root: string, name: string): Unplaced {
  return { name, read: () => read(path.resolve(root, name)) }
}

/** Newline-ended paths, one string at a time. */
export function* pathsOf(paths: Uint8Array): Generator<string> {
  const text = Buffer.from(paths.buffer, paths.byteOffset, paths.byteLength)
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(10, from)
    yield text.toString('utf8', from, end)
    from = end + 1
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new FacexError('ERR_DATA', `the image cannot be read: ${messageOf(cause)}`, { cause })
  }
}
