/**
 * `facex dataset pack`, `merge` and `unpack`.
 * @module
 */
import path from 'node:path'

import { packDataset, unpackDataset, type PackOptions } from '../../data/tools/pack.js'
import type { Dataset } from '../../data/dataset.js'
import { indexFileOf } from '../../data/records.js'
import { FacexError } from '../../errors.js'
import { underBar } from '../../report/count-bar.js'
import { interruptible } from '../interrupts.js'
import { openSources, outOf, printResult, type Action, type Values } from './action.js'

export const pack: Action = {
  takes: ['out'],
  async run(sources, values) {
    const out = outOf(values)
    if (path.extname(out) !== '.rec') throw new FacexError('ERR_USAGE', `--out: expected a name ending in .rec, received "${out}"`)
    const dataset = await openSources(sources, values)
    return write('packing', { records: out, index: indexFileOf(out) }, dataset, values, (options) => packDataset(dataset, out, options))
  },
}

export const unpack: Action = {
  takes: ['out'],
  async run(sources, values) {
    const out = outOf(values)
    const dataset = await openSources(sources, values)
    return write('unpacking', { list: path.join(out, 'train.txt') }, dataset, values, (options) => unpackDataset(dataset, out, options))
  },
}

/** Does the work under a bar and prints what was written; the first of the files stands for all where people read. */
function write(doing: string, files: Record<string, string>, { size: images, classCount: identities }: Dataset, values: Values, work: (options: PackOptions) => Promise<void>): Promise<number> {
  return interruptible(async (signal) => {
    await underBar(doing, (update) => work({ signal, onImage: (done) => update(done, images) }))
    printResult(values, { ...files, images, identities }, [`${Object.values(files)[0]}: ${images} images of ${identities} identities`])
    return 0
  })
}
