/**
 * `facex table`: runs side by side as text.
 * @module
 */
import { FacexError, unknownName } from '../errors.js'
import { readRuns } from '../report/run-record.js'
import { markdown, runTable } from '../report/run-table.js'
import { parseOptions } from './options.js'

const FORMATS = ['markdown', 'json']

export const usage = `Usage: facex table RUN... [--format markdown|json]

Prints a table of run folders: what was trained, how far, how fast, and the last accuracy on each pair list.
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { format: { type: 'string' } }, Array<string>(argv.length).fill('RUN'))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected at least one run folder\n\n${usage}`)
  const format = values.format ?? 'markdown'
  if (!FORMATS.includes(format)) throw new FacexError('ERR_USAGE', `--format: ${unknownName('format', format, FORMATS)}`)
  const table = runTable(readRuns(positionals))
  const objects = table.rows.map((row) => Object.fromEntries(row.map((cell, i) => [table.head[i]!, cell])))
  process.stdout.write(format === 'json' ? `${JSON.stringify(objects, null, 2)}\n` : markdown(table))
  return 0
}
