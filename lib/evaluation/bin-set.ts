/**
 * insightface's verification sets as pair sets: images in memory, two a pair.
 * @module
 */
import path from 'node:path'

import { readBinFile } from '../data/bin-file.js'
import type { ImagePairs } from './pair-set.js'

/** @throws FacexError ERR_DATA for a file that is no such set */
export function openBinSet(file: string, name = path.basename(file, path.extname(file))): ImagePairs {
  const { images, same } = readBinFile(file)
  const pairs = same.map((_, pair) => pair)
  return {
    name,
    files: images,
    place: (image) => `${file}: pair ${Math.floor(image / 2) + 1}`,
    list: {
      paths: images.map((_, image) => `${name}[${image}]`),
      first: Uint32Array.from(pairs, (pair) => 2 * pair),
      second: Uint32Array.from(pairs, (pair) => 2 * pair + 1),
      genuine: Uint8Array.from(same, Number),
      lines: Uint32Array.from(pairs, (pair) => pair + 1),
    },
  }
}
