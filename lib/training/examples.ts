/**
 * Places in the data of a run where the trained model can be tried at once.
 * @module
 */
import path from 'node:path'

import type { z } from 'zod'

import { isPairList, type pairListSchema } from '../config/evaluation.js'
import type { RunConfig } from '../config/run.js'
import type { PairSet } from '../evaluation/pair-set.js'
import type { TestSet } from './test-sets.js'

export interface RunExamples {
  /** A list of images. */
  readonly list?: { readonly root: string; readonly list: string }
  /** A pair list, and the two images of its first pair. */
  readonly pairs?: { readonly root: string; readonly pairs: string; readonly images: readonly [string, string] }
}

/** The first list and the first pair list that the configuration names. */
export function examplesOf({ data, evaluation }: RunConfig, testSets: readonly TestSet[]): RunExamples {
  const at = evaluation.sets.findIndex(isPairList)
  const lists = data.train.flatMap((source) => {
    if (source.kind === 'list') return [{ root: source.root, list: source.list }]
    return source.kind === 'synthetic' ? [{ root: source.root, list: path.join(source.root, 'train.txt') }] : []
  })
  return {
    ...(lists[0] === undefined ? {} : { list: lists[0] }),
    ...(at < 0 ? {} : { pairs: firstPair(evaluation.sets[at] as PairList, testSets[at]!) }),
  }
}

type PairList = z.output<typeof pairListSchema>

function firstPair({ root, pairs }: PairList, { protocol }: TestSet): RunExamples['pairs'] {
  const { files, list } = protocol.pairs as PairSet
  return { root, pairs, images: [files[list.first[0]!]!, files[list.second[0]!]!] }
}
