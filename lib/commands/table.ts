/**
 * `facex table`: runs side by side as text.
 * @module
 */
import { FacexError, unknownName } from '../errors.js'
import { readRuns } from '../report/run-record.js'
import { markdown, publishedTable, runTable } from '../report/run-table.js'
import { parseOptions } from './options.js'

const FORMATS = ['markdown', 'json']

export const usage = `Usage: facex table RUN... [--format markdown|json] [--full]

Prints a table of run folders in the form of published ones: backbone, head, accuracy in percent on each test set
(MegaFace and the like: rank 1), parameters and multiply-adds.

--full            also how far and how fast, and the rule, folds and pairs behind every accuracy
--format FORMAT   markdown (default) or json
--json            the same as --format json
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { format: { type: 'string' }, full: { type: 'boolean' }, json: { type: 'boolean' } }, Array<string>(argv.length).fill('RUN'))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected at least one run folder\n\n${usage}`)
  const format = values.format ?? (values.json ? 'json' : 'markdown')
  if (!FORMATS.includes(format)) throw new FacexError('ERR_USAGE', `--format: ${unknownName('format', format, FORMATS)}`)
  if (values.json && format !== 'json') throw new FacexError('ERR_USAGE', '--json and --format markdown exclude each other')
  const runs = await readRuns(positionals)
  const table = values.full ? runTable(runs) : publishedTable(runs)
  const objects = table.rows.map((row) => Object.fromEntries(row.map((cell, i) => [table.head[i]!, cell])))
  process.stdout.write(format === 'json' ? `${JSON.stringify(objects, null, 2)}\n` : markdown(table))
  return 0
}
