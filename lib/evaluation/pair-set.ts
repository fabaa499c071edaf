/**
 * A pair list with the folder of its images, opened and checked before anything is computed.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { openPairs, type PairFormat, type PairList } from '../data/pairs.js'
import { throwProblems } from '../errors.js'

/** Paths of image files, or their contents. */
export type Images = readonly string[] | readonly Uint8Array[]

/** A pair list and its images, wherever they are. */
export interface ImagePairs {
  /** For logs and metrics. */
  readonly name: string
  readonly list: PairList
  /** Complete path of each of the list's images, or its content. */
  readonly files: Images
  /** Where image number `image` is named first, for messages: `pairs.txt:12`. */
  readonly place: (image: number) => string
}

/** A pair list whose images are files. */
export interface PairSet extends ImagePairs {
  readonly files: readonly string[]
}

/**
 * @param place `root`: folder that the paths of the list `pairs` start from
 * @throws FacexError ERR_DATA that lists wrong lines, or missing images with the line that first names each
 */
export function openPairSet(place: { readonly name?: string; readonly root: string; readonly pairs: string; readonly format?: PairFormat }): PairSet {
  return locatePairs(openPairs(place.pairs, place.format), { ...place, name: place.name ?? path.basename(place.pairs, path.extname(place.pairs)) })
}

/** Finds the images of a list below `root`; `pairs` is named in messages. @throws FacexError ERR_DATA for missing images */
export function locatePairs(list: PairList, { name, root, pairs }: { readonly name: string; readonly root: string; readonly pairs: string }): PairSet {
  const files = list.paths.map((image) => path.resolve(root, image))
  const place = (image: number) => `${pairs}:${firstLine(list, image)}`
  requireImages(files, place)
  return { name, list, files, place }
}

/**
 * Sees that images exist, before hours are spent on the others.
 * @param place list and line that name an image
 * @throws FacexError ERR_DATA that lists missing ones
 */
export function requireImages(files: readonly string[], place: (image: number) => string): void {
  const problems = files.flatMap((file, image) => (existsSync(file) ? [] : [`${place(image)}: no image ${file}`]))
  throwProblems('ERR_DATA', `${problems.length} of ${files.length} images of the list are missing (is the root right?):`, problems)
}

function firstLine(list: PairList, image: number): number {
  return list.lines[list.first.findIndex((first, pair) => first === image || list.second[pair] === image)]!
}
