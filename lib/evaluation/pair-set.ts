/**
 * A pair list with the folder of its images, opened and checked before anything is computed.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { openPairs, type PairList } from '../data/pairs.js'
import { throwProblems } from '../errors.js'

export interface PairSet {
  /** For logs and metrics. */
  readonly name: string
  readonly list: PairList
  /** Complete path of each of the list's images. */
  readonly files: readonly string[]
}

/**
 * @param place `root`: folder that the paths of the list `pairs` start from
 * @throws FacexError ERR_DATA that lists wrong lines, or missing images with the line that first names each
 */
export function openPairSet(place: { readonly name?: string; readonly root: string; readonly pairs: string }): PairSet {
  const list = openPairs(place.pairs)
  const files = list.paths.map((name) => path.resolve(place.root, name))
  const problems = files.flatMap((file, image) => (existsSync(file) ? [] : [`${place.pairs}:${firstLine(list, image)}: no image ${file}`]))
  throwProblems('ERR_DATA', `${problems.length} of ${files.length} images of the pair list are missing (is the root right?):`, problems)
  return { name: place.name ?? path.basename(place.pairs, path.extname(place.pairs)), list, files }
}

function firstLine(list: PairList, image: number): number {
  return list.lines[list.first.findIndex((first, pair) => first === image || list.second[pair] === image)]!
}
