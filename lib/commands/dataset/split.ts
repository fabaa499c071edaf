/**
 * `facex dataset split`.
 * @module
 */
import { writeFileSync } from 'node:fs'

import { splitDataset } from '../../data/tools/split.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, seedOf, type Action } from './action.js'

export const split: Action = async (sources, values) => {
  const out = outOf(values)
  const { chosen, rest } = splitDataset(await openSources(sources, values), {
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
