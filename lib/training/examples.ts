/**
 * Places in the data of a run where the trained model can be tried at once.
 * @module
 */
import path from 'node:path'

import type { RunConfig } from '../config/run.js'
import type { PairSet } from '../evaluation/pair-set.js'

export interface RunExamples {
  /** A list of images. */
  readonly list?: { readonly root: string; readonly list: string }
  /** A pair list, and the two images of its first pair. */
  readonly pairs?: { readonly root: string; readonly pairs: string; readonly images: readonly [string, string] }
}

/** The first list and the first pair list that the configuration names. */
export function examplesOf({ data, evaluation }: RunConfig, pairSets: readonly PairSet[]): RunExamples {
  const [place] = evaluation.sets
  const [set] = pairSets
  const lists = data.train.flatMap((source) => {
    if (source.kind === 'list') return [{ root: source.root, list: source.list }]
    return source.kind === 'synthetic' ? [{ root: source.root, list: path.join(source.root, 'train.txt') }] : []
  })
  return {
    ...(lists[0] === undefined ? {} : { list: lists[0] }),
    ...(place === undefined || set === undefined
      ? {}
      : { pairs: { root: place.root, pairs: place.pairs, images: [set.files[set.list.first[0]!]!, set.files[set.list.second[0]!]!] } }),
  }
}
