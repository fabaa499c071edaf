/**
 * Loads the modules of `extensions:` and collects what they add to the tables of one run.
 *
 * A module exports entries by any name, one or a list: `export default defineBackbone({...})`, `expressionHead({...})`.
 * @module
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { BACKBONES, type Backbone } from '../backbones/index.js'
import { extendTable } from '../config/extend-table.js'
import { SAMPLERS, type SamplerDefinition } from '../data/samplers/index.js'
import { FacexError, messageOf } from '../errors.js'
import { HEADS, type HeadDefinition } from '../heads/index.js'

/** What the define functions make: each entry says which table it belongs to. */
export interface ExtensionEntry {
  readonly kind: keyof typeof MAKERS
  readonly name: string
}

/** The tables of a run: what facex ships and what its extensions add. */
export interface Tables {
  readonly backbones: readonly Backbone[]
  readonly heads: readonly HeadDefinition[]
  readonly samplers: readonly SamplerDefinition[]
  /** Modes beside the shipped ones; training, a room above this one, knows what they are. */
  readonly modes: readonly ExtensionEntry[]
}

const MAKERS = { backbone: 'defineBackbone', sampler: 'defineSampler', mode: 'defineMode', head: 'expressionHead' } as const

/** What facex ships. */
export const SHIPPED: Tables = { backbones: BACKBONES, samplers: SAMPLERS, modes: [], heads: HEADS }

/**
 * @param modules absolute paths of JavaScript files, or names of installed packages
 * @throws FacexError ERR_CONFIG naming the module that does not load or exports nothing that facex knows
 */
export async function loadExtensions(modules: readonly string[]): Promise<Tables> {
  const entries: ExtensionEntry[] = []
  for (const name of modules) entries.push(...(await entriesOf(name)))
  const of = <Entry>(kind: ExtensionEntry['kind']) => entries.filter((entry) => entry.kind === kind) as unknown as Entry[]
  return {
    backbones: extendTable('backbone', BACKBONES, of<Backbone>('backbone')),
    heads: extendTable('head', HEADS, of<HeadDefinition>('head')),
    samplers: extendTable('sampler', SAMPLERS, of<SamplerDefinition>('sampler')),
    modes: of('mode'),
  }
}

async function entriesOf(name: string): Promise<ExtensionEntry[]> {
  let exported: Record<string, unknown>
  try {
    exported = (await import(path.isAbsolute(name) ? pathToFileURL(name).href : name)) as Record<string, unknown>
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `extension ${name} does not load: ${messageOf(error)}`, { cause: error })
  }
  const entries = Object.values(exported).flat().filter(isEntry)
  if (entries.length === 0) {
    const found = Object.keys(exported).join(', ') || 'nothing'
    throw new FacexError('ERR_CONFIG', `extension ${name}: expected an export made with ${Object.values(MAKERS).join(', ')}, found ${found}`)
  }
  return [...new Set(entries)]
}

function isEntry(value: unknown): value is ExtensionEntry {
  return typeof value === 'object' && value !== null && String((value as Partial<ExtensionEntry>).kind) in MAKERS
}
