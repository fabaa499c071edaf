/**
 * `facex dataset pack`, `merge` and `unpack`.
 * @module
 */
import path from 'node:path'

import { packDataset, unpackDataset } from '../../data/tools/pack.js'
import { FacexError } from '../../errors.js'
import { countBar } from '../../report/count-bar.js'
import { openSources, outOf, type Action } from './action.js'

export const pack: Action = async (sources, values) => {
  const out = outOf(values)
  if (path.extname(out) !== '.rec') throw new FacexError('ERR_USAGE', `--out: expected a name ending in .rec, received "${out}"`)
  const dataset = await openSources(sources, values)
  const bar = countBar('packing')
  packDataset(dataset, out, (done) => bar.update(done, dataset.size))
  bar.stop()
  process.stdout.write(`${out}: ${dataset.size} images of ${dataset.classCount} identities\n`)
  return 0
}

export const unpack: Action = async (sources, values) => {
  const out = outOf(values)
  const dataset = await openSources(sources, values)
  const bar = countBar('unpacking')
  unpackDataset(dataset, out, (done) => bar.update(done, dataset.size))
  bar.stop()
  process.stdout.write(`${path.join(out, 'train.txt')}: ${dataset.size} images of ${dataset.classCount} identities\n`)
  return 0
}
