/**
 * Loads the modules of `extensions:` and collects what they add to the tables of one run.
 *
 * A module exports entries by any name, one or a list: `export default defineBackbone({...})`.
 * @module
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { BACKBONES, withExtensions, type Backbone } from '../backbones/index.js'
import { FacexError, messageOf } from '../errors.js'

/** The tables of a run: what facex ships and what its extensions add. */
export interface Tables {
  readonly backbones: readonly Backbone[]
}

/** What facex ships. */
export const SHIPPED: Tables = { backbones: BACKBONES }

/**
 * @param modules absolute paths of JavaScript files, or names of installed packages
 * @throws FacexError ERR_CONFIG naming the module that does not load or exports nothing that facex knows
 */
export async function loadExtensions(modules: readonly string[]): Promise<Tables> {
  let { backbones } = SHIPPED
  for (const name of modules) backbones = withExtensions(backbones, await entriesOf(name))
  return { backbones }
}

async function entriesOf(name: string): Promise<Backbone[]> {
  let exported: Record<string, unknown>
  try {
    exported = (await import(path.isAbsolute(name) ? pathToFileURL(name).href : name)) as Record<string, unknown>
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `extension ${name} does not load: ${messageOf(error)}`, { cause: error })
  }
  const entries = Object.values(exported).flat().filter(isBackbone)
  if (entries.length === 0) {
    const found = Object.keys(exported).join(', ') || 'nothing'
    throw new FacexError('ERR_CONFIG', `extension ${name}: expected an export made with defineBackbone, found ${found}`)
  }
  return [...new Set(entries)]
}

function isBackbone(value: unknown): value is Backbone {
  return typeof value === 'object' && value !== null && (value as Partial<Backbone>).kind === 'backbone'
}
