/**
 * data_conf.yaml: entries `NAME: {keys of the protocol}`; `type` names the protocol of an entry that has a name of its
 * own. Paths start from the working folder.
 * @module
 */
import path from 'node:path'

import { check } from '../../config/check.js'
import { loadConfigFile } from '../../config/load.js'
import { FacexError, unknownName } from '../../errors.js'
import { packageRoot } from '../../setup/places.js'
import { findProtocol } from './index.js'
import type { OpenProtocol } from './protocol.js'

/** The example that facex ships, with an entry for every protocol. */
export function shippedDataConf(): string {
  return path.join(packageRoot(), 'configs', 'data_conf.yaml')
}

/**
 * Opens the protocol of the entry `name`.
 * @throws FacexError ERR_CONFIG with the line of a wrong key; ERR_DATA for wrong lists or missing images
 */
export function openProtocol(file: string, name: string): OpenProtocol {
  const tree = loadConfigFile(file)
  const entries = tree.get() as Record<string, unknown>
  if (!Object.hasOwn(entries, name)) throw new FacexError('ERR_CONFIG', `${file}: ${unknownName('entry', name, Object.keys(entries))}`)
  const entry = entries[name]
  if (typeof entry !== 'object' || entry === null) throw new FacexError('ERR_CONFIG', `${tree.at(name)} ${name}: expected the files of a protocol, received ${String(entry)}`)
  const { type = name, ...config } = entry as Record<string, unknown>
  const protocol = findProtocol(String(type), (text) => `${tree.at(name)} ${name}: ${text} (an entry with another name says its protocol by "type")`)
  return protocol.create(check(protocol.schema, config, tree, name), name)
}
