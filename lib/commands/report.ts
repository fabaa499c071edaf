/**
 * `facex report`: one or several runs as an HTML page.
 * @module
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import { reportPage } from '../report/page/page.js'
import { readRuns } from '../report/run-record.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex report RUN... [--out FILE.html]

Writes one self-contained HTML page about run folders: figures, curves of loss, learning rate, accuracy and speed, and
the configurations. Several runs are compared in the same charts.

--out FILE   the page; report.html in the first run folder by default
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { out: { type: 'string' } }, Array<string>(argv.length).fill('RUN'))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected at least one run folder\n\n${usage}`)
  const out = values.out ?? path.join(positionals[0]!, 'report.html')
  const page = reportPage(readRuns(positionals))
  try {
    writeFileSync(out, page)
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${out}: the page cannot be written: ${messageOf(cause)}`, { cause })
  }
  process.stdout.write(`${out}\n`)
  return 0
}
