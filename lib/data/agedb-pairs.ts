/**
 * AgeDB's published protocol (04_FINAL_protocol_30_years.mat): `splits` is a cell of folds, each a structure whose first
 * field is a cell [2, N] of images and whose second one holds N labels, 1 for one person and -1 for two. An image is a
 * structure whose first field is its name without extension.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf, throwProblems } from '../errors.js'
import { readMatVariable, type MatValue } from './mat-file.js'
import { PairBuilder, type PairList } from './pair-builder.js'

/** @throws FacexError ERR_DATA that says which part of the file is wrong */
export function openAgeDbPairs(file: string): PairList {
  const splits = readSplits(file)
  const problems: string[] = []
  const builder = new PairBuilder()
  splits.forEach((split, fold) => {
    const place = `${file}: splits{${fold + 1}}`
    const [pairs, labels] = fieldsOf(split)
    if (pairs?.kind !== 'cell' || pairs.dims[0] !== 2 || labels?.kind !== 'numbers' || labels.items.length !== pairs.items.length / 2) {
      problems.push(`${place}: expected a cell of 2 x N images and N labels`)
      return
    }
    labels.items.forEach((label, i) => {
      const [a, b] = [nameOf(pairs.items[2 * i]!), nameOf(pairs.items[2 * i + 1]!)]
      if (a === undefined || b === undefined) problems.push(`${place}: pair ${i + 1}: expected the names of two images`)
      else if (![1, 0, -1].includes(label)) problems.push(`${place}: pair ${i + 1}: expected the label 1 or -1, found ${label}`)
      else builder.add({ a, b, genuine: label === 1 }, builder.count + 1)
    })
  })
  throwProblems('ERR_DATA', "AgeDB's list has mistakes:", problems)
  return { ...builder.finish(), folds: splits.length }
}

function readSplits(file: string): readonly MatValue[] {
  try {
    const splits = readMatVariable(readFileSync(file), 'splits')
    if (splits.kind !== 'cell' || splits.items.length < 2) throw new FacexError('ERR_DATA', 'splits: expected a cell with an entry for each of two folds or more')
    return splits.items
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: ${messageOf(cause)}`, { cause })
  }
}

/** Values of a single structure; nothing of anything else. */
function fieldsOf(value: MatValue): readonly MatValue[] {
  return value.kind === 'struct' ? (value.items[0] ?? []) : []
}

/** A name stands bare, or as the first field of a structure. */
function nameOf(value: MatValue): string | undefined {
  if (value.kind === 'text') return value.text === '' ? undefined : /\.(jpe?g|png)$/i.test(value.text) ? value.text : `${value.text}.jpg`
  const inner = value.kind === 'cell' ? value.items[0] : fieldsOf(value)[0]
  return inner === undefined ? undefined : nameOf(inner)
}
