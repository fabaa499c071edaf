/**
 * The encoded images of a data set one after the other, byte for byte as they are stored; each is read when asked for.
 * @module
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../../errors.js'
import { addon, type NativeSource } from '../../native.js'

export interface EncodedImage {
  /** Path below the source's root, or `000000123` for a record; behind `0/`, `1/` ... where several sources are mixed. */
  readonly name: string
  /** @throws FacexError ERR_DATA */
  read(): Buffer
}

/** All images in the order of their indices. */
export function* encodedImages(source: NativeSource): Generator<EncodedImage> {
  switch (source.kind) {
    case 'files':
      return yield* encodedFiles(source.root, pathsOf(source.paths))
    case 'records':
      for (const [index, position] of source.positions.entries()) {
        yield { name: String(index).padStart(9, '0'), read: () => addon().readRecord(source.file, position) }
      }
      return
    case 'mixed':
      for (const [i, part] of source.parts.entries()) for (const image of encodedImages(part)) yield { ...image, name: `${i}/${image.name}` }
  }
}

/** Files below `root`. */
export function* encodedFiles(root: string, names: Iterable<string>): Generator<EncodedImage> {
  for (const name of names) yield { name, read: () => read(path.resolve(root, name)) }
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
    throw new FacexError('ERR_DATA', `${file}: the image cannot be read: ${messageOf(cause)}`, { cause })
  }
}
