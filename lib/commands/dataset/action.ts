/**
 * What the actions of `facex dataset` share: their options and how they name a data set.
 * @module
 */
import { openDataset, type Dataset } from '../../data/dataset.js'
import { sourceAt } from '../../data/tools/source-at.js'
import { FacexError } from '../../errors.js'
import { wholeNumber, type OptionValues } from '../options.js'

export const OPTIONS = {
  root: { type: 'string' },
  out: { type: 'string' },
  threads: { type: 'string' },
  augment: { type: 'string' },
  rows: { type: 'string' },
  size: { type: 'string' },
  fraction: { type: 'string' },
  per_identity: { type: 'string' },
  landmarks: { type: 'string' },
  detector: { type: 'string' },
  style: { type: 'string' },
  texture: { type: 'string' },
  only: { type: 'boolean' },
  distance: { type: 'string' },
  delete: { type: 'boolean' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
} as const
export type Values = OptionValues<typeof OPTIONS>

/** Runs one action on the sources named on the command line; resolves with the exit status. */
export type Action = (sources: readonly string[], values: Values) => Promise<number>

/** Opens labelled sources and prints what was left out of them. */
export async function openSources(sources: readonly string[], values: Values): Promise<Dataset> {
  const dataset = await openDataset(sources.map((source) => sourceAt(source, values.root)))
  for (const note of dataset.notes) process.stderr.write(`${note}\n`)
  return dataset
}

/** @throws FacexError ERR_USAGE when it is missing */
export function outOf(values: Values): string {
  if (values.out === undefined) throw new FacexError('ERR_USAGE', 'expected --out')
  return values.out
}

export function seedOf(values: Values): number {
  return wholeNumber('seed', values.seed, 0) ?? 0
}
