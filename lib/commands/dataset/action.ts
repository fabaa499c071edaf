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
  png: { type: 'string' },
  json: { type: 'boolean' },
} as const
export type Values = OptionValues<typeof OPTIONS>
type OptionName = keyof typeof OPTIONS

export interface Action {
  /** The options that it has a use for, besides those that all have. */
  readonly takes: readonly OptionName[]
  /** Runs it on the sources named on the command line; resolves with the exit status. */
  run(sources: readonly string[], values: Values): Promise<number>
}

/** What every action takes. */
const COMMON: readonly OptionName[] = ['root', 'json']

/**
 * Refuses options that the action has no use for: ignored ones would make a result look like something that it is not.
 * @throws FacexError ERR_USAGE
 */
export function checkOptions(name: string, { takes }: Action, values: Values): void {
  const known = [...takes, ...COMMON]
  const other = (Object.keys(values) as OptionName[]).find((option) => !known.includes(option))
  if (other === undefined) return
  throw new FacexError('ERR_USAGE', `--${other}: ${name} has no use for it, it takes ${known.map((option) => `--${option}`).join(', ')}`)
}

/** Prints what an action did: an object for machines, or lines for people. */
export function printResult(values: Values, result: object, lines: readonly string[]): void {
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : lines.map((line) => `${line}\n`).join(''))
}

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
