/**
 * `facex dataset preview`.
 * @module
 */
import { writeFileSync } from 'node:fs'

import { resolveAugmentations, type AugmentConfig } from '../../data/augment.js'
import { contactSheet } from '../../data/tools/preview.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, seedOf, type Action } from './action.js'

export const preview: Action = async (sources, values) => {
  const out = outOf(values)
  const sheet = await contactSheet(await openSources(sources, values), {
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
