/**
 * A list of images to embed: a path a line, or training lists' "path label", whose labels are then left out. Lines are
 * "path label" when every one of them ends in a number of its own; a path may hold blanks either way.
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'

/** Images in the order of a list. */
export interface ImageList {
  readonly names: readonly string[]
  /** Where image number `index` is named, and its name, for messages: `list.txt:12: Ann/1.jpg`. */
  readonly place: (index: number) => string
}

/** @throws FacexError ERR_DATA when the file cannot be read or names nothing */
export function openImageList(file: string): ImageList {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the image list cannot be read: ${messageOf(cause)}`, { cause })
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== '')
  if (lines.length === 0) throw new FacexError('ERR_DATA', `${file}: expected a path a line, or "path label", found no line`)
  const labelled = lines.map(({ text }) => /^(.*\S)\s+\d+$/.exec(text)?.[1])
  const names = labelled.every((name) => name !== undefined) ? labelled : lines.map(({ text }) => text)
  return { names, place: (index) => `${file}:${lines[index]!.number}: ${names[index]!}` }
}

const PHOTOGRAPH = /\.(jpe?g|png|webp|tiff?|gif|avif|heic|heif|bmp)$/i

/** Files below a folder that are pictures by their names, as paths from the folder, sorted. */
export function imagesBelow(folder: string): ImageList {
  let names: string[]
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${folder}: the folder cannot be read: ${messageOf(cause)}`, { cause })
  }
  const images = names.filter((name) => PHOTOGRAPH.test(name)).map((name) => name.split(path.sep).join('/'))
  if (images.length === 0) throw new FacexError('ERR_DATA', `${folder}: expected pictures below this folder, found none`)
  images.sort()
  return { names: images, place: (index) => images[index]! }
}
