/**
 * Lists made from a list: a part of the identities for training and the rest held out, or a few images of each
 * identity, as in shallow face learning.
 * @module
 */
import { FacexError } from '../../errors.js'
import { countPerClass } from '../sample-set.js'
import type { Dataset } from '../dataset.js'
import { Random } from '../random.js'
import { pathsOf } from './encoded.js'
import { listText, type ListEntry } from './list-text.js'

export interface SplitOptions {
  /** By identity: this share of them goes to the first list. */
  readonly fraction?: number
  /** By image: this many of each identity go to the first list; identities with fewer are left out of both. */
  readonly perIdentity?: number
  readonly seed: number
}

/** Text of two lists, labels from 0 in each. */
export interface Split {
  readonly chosen: string
  readonly rest: string
}

/** @throws FacexError ERR_DATA for sources that are no files, ERR_USAGE when not exactly one way is asked for */
export function splitDataset(dataset: Dataset, options: SplitOptions): Split {
  if (dataset.source.kind !== 'files') throw new FacexError('ERR_DATA', 'only lists and class folders can be split; unpack a record file first')
  if ((options.fraction === undefined) === (options.perIdentity === undefined)) {
    throw new FacexError('ERR_USAGE', 'expected one of --fraction and --per_identity')
  }
  const random = new Random(options.seed)
  const isChosen = options.fraction === undefined ? fewOfEach(dataset, options.perIdentity!, random) : identities(dataset, options.fraction, random)
  const chosen: ListEntry[] = []
  const rest: ListEntry[] = []
  let index = 0
  for (const name of pathsOf(dataset.source.paths)) {
    const list = isChosen(index)
    if (list !== undefined) (list ? chosen : rest).push({ name, label: dataset.labels[index]! })
    index++
  }
  return { chosen: listText(chosen), rest: listText(rest) }
}

/** True for the first list, false for the second, undefined for neither. */
type Choice = (index: number) => boolean | undefined

function identities(dataset: Dataset, fraction: number, random: Random): Choice {
  if (!(fraction > 0 && fraction < 1)) throw new FacexError('ERR_USAGE', `--fraction: expected a number between 0 and 1, received ${fraction}`)
  const order = random.shuffle(Uint32Array.from({ length: dataset.classCount }, (_, label) => label))
  const taken = new Set(order.subarray(0, Math.round(fraction * dataset.classCount)))
  return (index) => taken.has(dataset.labels[index]!)
}

function fewOfEach(dataset: Dataset, wanted: number, random: Random): Choice {
  const counts = countPerClass(dataset.labels, dataset.classCount)
  const left = new Uint32Array(dataset.classCount).fill(wanted)
  const seen = new Uint32Array(dataset.classCount)
  // Selection sampling (Knuth, TAOCP 2, algorithm S): each image with chance (still wanted) / (still to come).
  return (index) => {
    const label = dataset.labels[index]!
    if (counts[label]! < wanted) return undefined
    const take = random.below(counts[label]! - seen[label]!++) < left[label]!
    if (take) left[label]!--
    return take
  }
}
