/**
 * `facex config`: checks, shows and describes configurations.
 * @module
 */
import { stringify } from 'yaml'
import { z } from 'zod'

import { resolveRun } from '../config/resolve.js'
import { runFileSchema, runSchema } from '../config/run.js'
import { FacexError, unknownName } from '../errors.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex config check CONFIG... [--set KEY=VALUE]...
       facex config show CONFIG [--set KEY=VALUE]... [--json]
       facex config schema

check   reports every problem with file, line and column
show    prints the complete configuration with all defaults
schema  prints the JSON Schema; editors complete and check a file that begins with
        # yaml-language-server: $schema=PATH
`

const ACTIONS = ['check', 'show', 'schema']

export async function run(argv: string[]): Promise<number> {
  const [action = '', ...rest] = argv
  if (!ACTIONS.includes(action)) throw new FacexError('ERR_USAGE', action === '' ? usage : unknownName('action', action, ACTIONS))
  if (action === 'check') return check(rest)
  if (action === 'show') return show(rest)
  parseOptions(rest, {})
  return print(schemaText())
}

function check(argv: string[]): number {
  const { values, positionals } = parseOptions(argv, { set: { type: 'string', multiple: true } }, argv)
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', 'expected a configuration file')
  for (const file of positionals) {
    resolveRun({ file, set: values.set })
    print(`${file}: ok\n`)
  }
  return 0
}

function show(argv: string[]): number {
  const { values, positionals } = parseOptions(argv, { set: { type: 'string', multiple: true }, json: { type: 'boolean' } }, ['CONFIG'])
  const [file] = positionals
  if (file === undefined) throw new FacexError('ERR_USAGE', 'expected a configuration file')
  const { config } = resolveRun({ file, set: values.set })
  return print(values.json ? `${JSON.stringify(config, null, 2)}\n` : stringify(config))
}

function schemaText(): string {
  const file = z.toJSONSchema(runFileSchema, { io: 'input' })
  // What a file leaves out, one that it extends may say; a file that extends none must be whole.
  const properties = Object.fromEntries(Object.entries(file.properties ?? {}).map(([key, part]) => [key, { ...(part as object), required: undefined }]))
  const schema = { ...file, properties, anyOf: [{ required: ['extends'] }, z.toJSONSchema(runSchema, { io: 'input' })] }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
