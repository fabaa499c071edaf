/**
 * Entries of a backbone_conf.yaml: `Name: {option: value}`, where `type` names the backbone of a variant.
 * @module
 */
import path from 'node:path'

import { loadConfigFile } from '../config/load.js'
import { FacexError } from '../errors.js'
import { packageRoot } from '../setup/places.js'

/** One entry: a backbone with its options. */
export interface ConfEntry {
  readonly name: string
  /** Name of the backbone; the entry's own unless it says otherwise. */
  readonly type: string
  readonly config: Readonly<Record<string, unknown>>
}

/** The file that facex ships, with every network of its table. */
export function shippedConf(): string {
  return path.join(packageRoot(), 'configs', 'backbone_conf.yaml')
}

/** All entries in the order of the file. Throws ERR_CONFIG with the line of what is no entry. */
export function readConf(file = shippedConf()): ConfEntry[] {
  const tree = loadConfigFile(file)
  return Object.entries(tree.get() as object).map(([name, value]) => {
    if (typeof value !== 'object' || value === null) {
      throw new FacexError('ERR_CONFIG', `${tree.at(name)} ${name}: expected options of a backbone, received ${String(value)}`)
    }
    const { type = name, ...config } = value as Record<string, unknown>
    return { name, type: String(type), config }
  })
}
