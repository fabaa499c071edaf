/**
 * The training set of a run: one or more sources behind each other, the labels of later ones continuing after those of
 * earlier ones.
 * @module
 */
import { createHash } from 'node:crypto'

import { FacexError, throwProblems } from '../errors.js'
import type { NativeSource } from '../native.js'
import { openClassFolders } from './class-folders.js'
import { openList } from './list.js'
import { openRecords } from './records.js'
import type { SampleSet } from './sample-set.js'
import { openSynthetic, type SyntheticConfig } from './synthetic/source.js'

/** One entry of `data.train`. */
export type SourceConfig =
  | { readonly kind: 'list'; readonly root: string; readonly list: string; readonly weight?: number }
  | { readonly kind: 'folder'; readonly root: string; readonly weight?: number }
  | { readonly kind: 'record'; readonly file: string; readonly weight?: number }
  | ({ readonly kind: 'synthetic'; readonly weight?: number } & SyntheticConfig)

export interface Dataset {
  /** What the loader reads; labels are those of {@link labels}. */
  readonly source: NativeSource
  readonly size: number
  /** Class of each sample over all sources. */
  readonly labels: Int32Array
  readonly classCount: number
  /** SHA-256 over the class names in order: two runs with equal hashes mean the same identities by the same labels. */
  readonly classMapHash: string
  /** Samples, share and smallest label of each source. */
  readonly parts: readonly { readonly first: number; readonly size: number; readonly weight: number; readonly firstLabel: number }[]
  readonly notes: readonly string[]
  /** Where samples are declared and their paths, for messages. Indices ascend. */
  describe(indices: readonly number[]): string[]
}

/**
 * Opens the sources of a run.
 * @throws FacexError ERR_DATA that lists the mistakes of all sources together
 */
export async function openDataset(sources: readonly SourceConfig[]): Promise<Dataset> {
  const sets: SampleSet[] = []
  for (const source of sources) sets.push(await openSource(source))
  throwProblems('ERR_DATA', 'The training data has mistakes:', sets.flatMap((set) => set.problems))
  return mix(sets, sources.map((source) => source.weight ?? 1))
}

async function openSource(source: SourceConfig): Promise<SampleSet> {
  switch (source.kind) {
    case 'list':
      return openList(source.list, source.root)
    case 'folder':
      return openClassFolders(source.root)
    case 'record':
      return openRecords(source.file)
    case 'synthetic':
      return openSynthetic(source)
    default:
      throw new FacexError('ERR_CONFIG', `data.train: unknown kind of source "${(source as { kind: string }).kind}"`)
  }
}

/** Puts opened sources behind each other. */
export function mix(sets: readonly SampleSet[], weights: readonly number[] = sets.map(() => 1)): Dataset {
  const labels = joined(sets)
  const classNames = sets.flatMap((set) => set.classNames)
  let [first, firstLabel] = [0, 0]
  const parts = sets.map((set, i) => {
    const part = { first, size: set.labels.length, weight: weights[i]!, firstLabel }
    first += part.size
    firstLabel += set.classNames.length
    return part
  })
  return {
    source: sets.length === 1 ? sets[0]!.source : { kind: 'mixed', parts: sets.map((set) => set.source), labels },
    size: labels.length,
    labels,
    classCount: classNames.length,
    classMapHash: createHash('sha256').update(classNames.join('\n')).digest('hex'),
    parts,
    notes: sets.flatMap((set) => set.notes),
    describe: (indices) =>
      parts.flatMap((part, i) => {
        const inside = indices.filter((index) => index >= part.first && index < part.first + part.size)
        return inside.length === 0 ? [] : sets[i]!.describe(inside.map((index) => index - part.first))
      }),
  }
}

/** All labels, each set's raised by the classes before it. */
function joined(sets: readonly SampleSet[]): Int32Array {
  if (sets.length === 1) return sets[0]!.labels
  const labels = new Int32Array(sets.reduce((sum, set) => sum + set.labels.length, 0))
  let at = 0
  let offset = 0
  for (const set of sets) {
    for (const label of set.labels) labels[at++] = label + offset
    offset += set.classNames.length
  }
  return labels
}
