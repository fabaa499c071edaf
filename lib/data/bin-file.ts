/**
 * insightface's verification sets (lfw.bin and the like): a pickle of encoded images, two a pair, and of the pairs'
 * truth values.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf } from '../errors.js'
import { unpickle } from '../pickle/unpickle.js'
import { BIN_PICKLE, ByteArray } from './bin-globals.js'

/** Pair i is images 2i and 2i + 1. */
export interface VerificationFile {
  /** Encoded JPEG or PNG. */
  readonly images: readonly Buffer[]
  readonly same: readonly boolean[]
}

/** @throws FacexError ERR_DATA for anything else than such a file */
export function readBinFile(file: string): VerificationFile {
  try {
    return parseBinFile(readFileSync(file))
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: ${messageOf(cause)}`, { cause })
  }
}

export function parseBinFile(data: Buffer): VerificationFile {
  const content = unpickle(data, BIN_PICKLE).value
  const [images, same] = Array.isArray(content) ? (content as unknown[]) : []
  if (!Array.isArray(content) || content.length !== 2 || !Array.isArray(images) || !Array.isArray(same)) {
    throw new FacexError('ERR_DATA', 'expected a pickled pair of lists: encoded images and truth values')
  }
  if (images.length !== 2 * same.length) {
    throw new FacexError('ERR_DATA', `expected two images for each pair, found ${images.length} images and ${same.length} truth values`)
  }
  return { images: images.map(encoded), same: same.map(truth) }
}

function encoded(image: unknown, index: number): Buffer {
  const bytes = image instanceof ByteArray ? image.content : image
  if (!Buffer.isBuffer(bytes)) throw new FacexError('ERR_DATA', `image ${index}: expected the bytes of an image, found ${typeof image}`)
  return bytes
}

/** Old files hold 0 and 1. */
function truth(value: unknown, index: number): boolean {
  if (value === true || value === 1) return true
  if (value === false || value === 0) return false
  throw new FacexError('ERR_DATA', `pair ${index}: expected true or false`)
}
