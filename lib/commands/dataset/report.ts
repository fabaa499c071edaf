/**
 * `facex dataset inspect` and `verify`.
 * @module
 */
import { availableParallelism } from 'node:os'

import { writeOutput } from '../../data/output.js'
import { summarise, type DatasetSummary } from '../../data/tools/summary.js'
import { toPng } from '../../report/charts/draw.js'
import { identityHistogram } from '../../report/charts/identities.js'
import { wholeNumber } from '../options.js'
import { openSources, printResult, type Action } from './action.js'

/** Reads every header. */
export const inspect = reportAction(false)
/** Decodes every image. */
export const verify = reportAction(true)

function reportAction(full: boolean): Action {
  return {
    takes: ['threads', 'png'],
    async run(sources, values) {
      const dataset = await openSources(sources, values)
      const summary = await summarise(dataset, { threads: wholeNumber('threads', values.threads) ?? availableParallelism(), full })
      if (values.png !== undefined) writeOutput(values.png, (await toPng(identityHistogram(summary))).encoded)
      printResult(values, summary, summaryLines(summary, full))
      return summary.badImages.length === 0 ? 0 : 1
    },
  }
}

function summaryLines({ images, identities, perIdentity, histogram, sizes, badImages }: DatasetSummary, full: boolean): string[] {
  const most = Math.max(...histogram.map((bin) => bin.identities))
  return [
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
}
