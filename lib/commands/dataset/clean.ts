/**
 * `facex dataset clean`.
 * @module
 */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'

import { writeOutput } from '../../data/output.js'
import { cleanDataset } from '../../data/tools/clean.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, printResult, type Action } from './action.js'

/** Bits that resized and recompressed copies differ in; different photographs of one person differ in far more. */
const DISTANCE = 16

export const clean: Action = {
  takes: ['out', 'threads', 'distance', 'delete'],
  async run(sources, values) {
    const out = outOf(values)
    const dataset = await openSources(sources, values)
    const { removed, list, kept } = await cleanDataset(dataset, {
      threads: wholeNumber('threads', values.threads) ?? availableParallelism(),
      distance: wholeNumber('distance', values.distance, 0) ?? DISTANCE,
    })
    const report = `${out}.removed.tsv`
    writeOutput(out, list)
    writeOutput(report, removed.map(({ name, kind, reason, place }) => `${name}\t${kind}\t${reason}\t${place}\n`).join(''))
    if (values.delete && dataset.source.kind === 'files') for (const { name } of removed) rmSync(path.resolve(dataset.source.root, name))
    const count = (kind: string) => removed.filter((image) => image.kind === kind).length
    printResult(values, { list: out, report, kept, removed }, [
      `${out}: ${kept} of ${dataset.size} images`,
      `${report}: ${count('unreadable')} unreadable, ${count('duplicate')} duplicates, ${count('two identities')} under two identities${values.delete ? ', deleted' : '; the files are still there'}`,
    ])
    return 0
  },
}
