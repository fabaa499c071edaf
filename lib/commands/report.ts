/**
 * `facex report`: one or several runs as an HTML page.
 * @module
 */
import path from 'node:path'

import { writeOutput } from '../data/output.js'
import { FacexError } from '../errors.js'
import { toPng } from '../report/charts/draw.js'
import { evaluationCharts } from '../report/page/evaluations.js'
import { reportPage, trainingCharts } from '../report/page/page.js'
import { readRuns } from '../report/run-record.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex report RUN... [--out FILE.html] [--png DIR] [--json]

Writes one self-contained HTML page about run folders: figures, curves of loss, learning rate, accuracy and speed, ROC,
DET and score histograms of every test set, the pairs that a model gets most wrong, and the configurations. Several runs
are compared in the same charts.

--out FILE   the page; report.html in the first run folder by default
--png DIR    also write every chart as a picture into this folder
--json       print the written files for machines
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { out: { type: 'string' }, png: { type: 'string' }, json: { type: 'boolean' } }, Array<string>(argv.length).fill('RUN'))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected at least one run folder\n\n${usage}`)
  const out = values.out ?? path.join(positionals[0]!, 'report.html')
  const runs = await readRuns(positionals)
  const pictures: string[] = []
  writeOutput(out, reportPage(runs))
  for (const chart of values.png === undefined ? [] : [...trainingCharts(runs), ...evaluationCharts(runs)]) {
    const file = path.join(values.png!, `${chart.title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-')}.png`)
    writeOutput(file, (await toPng(chart)).encoded)
    pictures.push(file)
  }
  process.stdout.write(values.json ? `${JSON.stringify({ page: out, pictures })}\n` : [out, ...pictures].map((file) => `${file}\n`).join(''))
  return 0
}
