/**
 * What should leave a data set: files that do not decode, pictures that are there twice. Of a picture with copies under
 * one identity the first stays. A picture under several identities stays where most of its copies are; where there is no
 * majority nobody knows whose face it is, and all copies leave.
 * @module
 */
import { FacexError } from '../../errors.js'
import { addon } from '../../native.js'
import type { Dataset } from '../dataset.js'
import { alikeGroups, differingBits } from './duplicates.js'
import { pathsOf } from './encoded.js'
import { listText } from './list-text.js'

export interface CleanOptions {
  readonly threads: number
  /** Bits of 256 in which pictures taken for the same may differ. */
  readonly distance: number
}

export interface RemovedImage {
  readonly name: string
  /** Where it is declared, and its path: `train.txt:12: Ann/1.jpg`. */
  readonly place: string
  readonly index: number
  readonly kind: 'unreadable' | 'duplicate' | 'two identities'
  /** What was wrong, or the picture that stays. */
  readonly reason: string
}

export interface Cleaning {
  /** In order of the data set. */
  readonly removed: readonly RemovedImage[]
  /** List of what stays. */
  readonly list: string
  readonly kept: number
}

/** @throws FacexError ERR_DATA for sources that are no files */
export async function cleanDataset(dataset: Dataset, { threads, distance }: CleanOptions): Promise<Cleaning> {
  const { source, labels } = dataset
  if (source.kind !== 'files') throw new FacexError('ERR_DATA', 'only one list or class folder can be cleaned; unpack a record file first')
  const names = [...pathsOf(source.paths)]
  const { words, problems } = await addon().hashImages(source, threads)
  const removed: Omit<RemovedImage, 'place'>[] = problems.map(({ index, reason }) => ({ name: names[index]!, index, kind: 'unreadable', reason }))
  for (const group of alikeGroups(words, distance, new Set(problems.map(({ index }) => index)))) {
    const owner = ownerOf(group.map((index) => labels[index]!))
    const stays = group.find((index) => labels[index] === owner)
    for (const index of group) {
      if (index === stays) continue
      const other = stays ?? group.find((member) => labels[member] !== labels[index])!
      const kind = labels[index] === owner ? 'duplicate' : 'two identities'
      removed.push({ name: names[index]!, index, kind, reason: `like ${names[other]!} (${differingBits(words, index, other)} of 256 bits differ)` })
    }
  }
  removed.sort((a, b) => a.index - b.index)
  const gone = new Set(removed.map(({ index }) => index))
  const entries = names.flatMap((name, index) => (gone.has(index) ? [] : [{ name, label: labels[index]! }]))
  const places = dataset.describe(removed.map(({ index }) => index))
  return { removed: removed.map((image, i) => ({ ...image, place: places[i]! })), list: listText(entries), kept: entries.length }
}

/** The label of more than half; undefined without a majority. */
function ownerOf(labels: readonly number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts].find(([, count]) => 2 * count > labels.length)?.[0]
}
