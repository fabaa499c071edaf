/**
 * `facex backbones`: lists the backbones with their options and defaults.
 * @module
 */
import { z } from 'zod'

import { BACKBONES } from '../backbones/index.js'
import type { Backbone } from '../backbones/index.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex backbones [--json]

Lists every backbone: its name, what it is, and its options with their defaults, as they stand under "backbone:" in a
configuration or in a backbone_conf.yaml.
`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { json: { type: 'boolean' } })
  process.stdout.write(values.json ? `${JSON.stringify(BACKBONES.map(describe), null, 2)}\n` : BACKBONES.map(print).join('\n'))
  return 0
}

interface Option {
  readonly description?: string
  /** Complete: defaults of nested options are filled in. */
  readonly default: unknown
}

function describe({ name, summary, paper, schema }: Backbone) {
  const { properties } = z.toJSONSchema(schema, { io: 'input' })
  const defaults = schema.parse({})
  const options = Object.entries(properties!).map(([key, property]) => [key, { ...(property as object), default: defaults[key] }] as const)
  return { name, summary, paper, options: Object.fromEntries<Option>(options) }
}

function print(backbone: Backbone): string {
  const { name, summary, paper, options } = describe(backbone)
  const rows = Object.entries(options).map(([key, option]) => {
    const value = typeof option.default === 'object' ? JSON.stringify(option.default) : String(option.default)
    return `  ${`${key}: ${value}`.padEnd(28)} ${option.description ?? ''}`.trimEnd()
  })
  return [`${name}: ${summary}${paper === undefined ? '' : ` (${paper})`}`, ...rows, ''].join('\n')
}
