/**
 * `facex dataset`: look at data sets and turn them into others.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'

import { resolveAugmentations, type AugmentConfig } from '../data/augment.js'
import { openDataset, type Dataset } from '../data/dataset.js'
import { packDataset, unpackDataset } from '../data/tools/pack.js'
import { contactSheet } from '../data/tools/preview.js'
import { sourceAt } from '../data/tools/source-at.js'
import { splitDataset } from '../data/tools/split.js'
import { summarise } from '../data/tools/summary.js'
import { FacexError, unknownName } from '../errors.js'
import { countBar } from '../report/count-bar.js'
import { parseOptions, wholeNumber, type OptionValues } from './options.js'

export const usage = `Usage: facex dataset inspect SOURCE...                      counts, sizes, images per identity
       facex dataset verify  SOURCE...                      decode every image
       facex dataset preview SOURCE... --out SHEET.png      samples as they are and as training sees them
       facex dataset pack    SOURCE... --out TRAIN.rec      RecordIO with index, as insightface's sets
       facex dataset unpack  SOURCE... --out DIR            files in class folders, and train.txt
       facex dataset merge   SOURCE... --out TRAIN.rec      several sources behind each other (the same as pack)
       facex dataset split   SOURCE --out PREFIX            PREFIX.chosen.txt and PREFIX.rest.txt

SOURCE is a list ("path label" lines), a folder of class folders, or a .rec file.

--root DIR         folder that the paths of a list start from; the list's own folder by default
--threads N        threads that read images; all cores by default
--augment NAME     preview: flip (default), none or facex_zoo
--rows N           preview: identities shown, 8 by default
--size N           preview: side of an image in pixels, 112 by default
--fraction F       split: this share of the identities is chosen
--per_identity K   split: K images of each identity are chosen; identities with fewer are left out
--seed N           split and preview: 0 by default
--json             inspect and verify: for machines
`

const OPTIONS = {
  root: { type: 'string' },
  out: { type: 'string' },
  threads: { type: 'string' },
  augment: { type: 'string' },
  rows: { type: 'string' },
  size: { type: 'string' },
  fraction: { type: 'string' },
  per_identity: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
} as const
type Values = OptionValues<typeof OPTIONS>

const ACTIONS: Readonly<Record<string, (dataset: Dataset, values: Values) => Promise<number>>> = {
  inspect: (dataset, values) => report(dataset, values, false),
  verify: (dataset, values) => report(dataset, values, true),
  preview,
  pack,
  merge: pack,
  unpack,
  split,
}

export async function run(argv: string[]): Promise<number> {
  const [name, ...rest] = argv
  const action = name === undefined ? undefined : ACTIONS[name]
  if (action === undefined) {
    const text = name === undefined ? 'expected an action' : unknownName('action', name, Object.keys(ACTIONS))
    throw new FacexError('ERR_USAGE', `${text}\n\n${usage}`)
  }
  const { values, positionals } = parseOptions(rest, OPTIONS, rest.filter((argument) => !argument.startsWith('--')))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected a list, a folder or a .rec file\n\n${usage}`)
  const dataset = await openDataset(positionals.map((source) => sourceAt(source, values.root)))
  for (const note of dataset.notes) process.stderr.write(`${note}\n`)
  return action(dataset, values)
}

async function report(dataset: Dataset, values: Values, full: boolean): Promise<number> {
  const summary = await summarise(dataset, { threads: wholeNumber('threads', values.threads) ?? availableParallelism(), full })
  const { images, identities, perIdentity, histogram, sizes, badImages } = summary
  const most = Math.max(...histogram.map((bin) => bin.identities))
  const lines = [
    `${images} images of ${identities} identities`,
    `images of an identity: ${perIdentity.min} to ${perIdentity.max}, median ${perIdentity.median}, mean ${perIdentity.mean.toFixed(1)}`,
    ...histogram.map(({ from, to, identities: count }) => {
      const bar = '█'.repeat(Math.ceil((count / most) * 40))
      return `${(from === to ? String(from) : `${from}-${to}`).padStart(12)} ${bar} ${count}`
    }),
    ...sizes.slice(0, 5).map(({ width, height, count }) => `${width} x ${height}: ${count} images`),
    ...(sizes.length > 5 ? [`... and ${sizes.length - 5} other sizes`] : []),
    `${full ? 'images that do not decode' : 'images with an unreadable header'}: ${badImages.length}`,
    ...badImages.slice(0, 20).map((image) => `  ${image}`),
    ...(badImages.length > 20 ? [`  ... and ${badImages.length - 20} more (--json lists all)`] : []),
  ]
  process.stdout.write(values.json ? `${JSON.stringify(summary)}\n` : `${lines.join('\n')}\n`)
  return badImages.length === 0 ? 0 : 1
}

async function preview(dataset: Dataset, values: Values): Promise<number> {
  const out = outOf(values)
  const sheet = await contactSheet(dataset, {
    size: wholeNumber('size', values.size) ?? 112,
    rows: wholeNumber('rows', values.rows) ?? 8,
    columns: 8,
    augmentations: resolveAugmentations((values.augment ?? 'flip') as AugmentConfig),
    seed: seedOf(values),
  })
  writeFileSync(out, sheet)
  process.stdout.write(`${out}\n`)
  return 0
}

async function pack(dataset: Dataset, values: Values): Promise<number> {
  const out = outOf(values)
  if (path.extname(out) !== '.rec') throw new FacexError('ERR_USAGE', `--out: expected a name ending in .rec, received "${out}"`)
  const bar = countBar('packing')
  packDataset(dataset, out, (done) => bar.update(done, dataset.size))
  bar.stop()
  process.stdout.write(`${out}: ${dataset.size} images of ${dataset.classCount} identities\n`)
  return 0
}

async function unpack(dataset: Dataset, values: Values): Promise<number> {
  const out = outOf(values)
  const bar = countBar('unpacking')
  unpackDataset(dataset, out, (done) => bar.update(done, dataset.size))
  bar.stop()
  process.stdout.write(`${path.join(out, 'train.txt')}: ${dataset.size} images of ${dataset.classCount} identities\n`)
  return 0
}

async function split(dataset: Dataset, values: Values): Promise<number> {
  const out = outOf(values)
  const { chosen, rest } = splitDataset(dataset, {
    fraction: values.fraction === undefined ? undefined : Number(values.fraction),
    perIdentity: wholeNumber('per_identity', values.per_identity),
    seed: seedOf(values),
  })
  for (const [name, text] of Object.entries({ chosen, rest })) {
    writeFileSync(`${out}.${name}.txt`, text)
    process.stdout.write(`${out}.${name}.txt: ${text.split('\n').length - 1} images\n`)
  }
  return 0
}

function outOf(values: Values): string {
  if (values.out === undefined) throw new FacexError('ERR_USAGE', 'expected --out')
  return values.out
}

function seedOf(values: Values): number {
  return wholeNumber('seed', values.seed, 0) ?? 0
}
