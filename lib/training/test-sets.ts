/**
 * The test sets of a configuration, opened and checked before anything is trained.
 * @module
 */
import { check } from '../config/check.js'
import { isPairList, setName, type TestSetConfig } from '../config/evaluation.js'
import type { RunConfig } from '../config/run.js'
import type { ConfigSource } from '../config/tree.js'
import { openProtocol } from '../evaluation/protocols/conf.js'
import { findProtocol } from '../evaluation/protocols/index.js'
import type { OpenProtocol } from '../evaluation/protocols/protocol.js'
import { FacexError } from '../errors.js'

export interface TestSet {
  readonly name: string
  readonly protocol: OpenProtocol
}

/**
 * @throws FacexError ERR_CONFIG with the line of a wrong key; ERR_DATA for wrong lists or missing images
 */
export function openTestSets({ sets }: RunConfig['evaluation'], source: ConfigSource): TestSet[] {
  return sets.map((set, index) => ({ name: setName(set), protocol: openSet(set, source, `evaluation.sets[${index}]`) }))
}

function openSet(set: TestSetConfig, source: ConfigSource, place: string): OpenProtocol {
  const { name: _name, protocol: entry, data_conf: conf, ...files } = set
  if (conf !== undefined) {
    const [other] = Object.keys(files)
    if (other !== undefined) throw new FacexError('ERR_CONFIG', `${source.at(`${place}.${other}`)} ${place}.${other}: the files of ${entry} stand in ${conf}: leave this out`)
    return openProtocol(conf, entry)
  }
  const protocol = findProtocol(entry, (text) => `${source.at(`${place}.protocol`)} ${place}.protocol: ${text}`)
  const keys = isPairList(set) ? { pairs_file_path: set.pairs, cropped_face_folder: set.root } : files
  return protocol.create(check(protocol.schema, keys, source, place), setName(set))
}
