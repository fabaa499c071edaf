/**
 * The table of evaluation protocols.
 * @module
 */
import { FacexError, unknownName } from '../../errors.js'
import { ijbProtocols } from './ijb.js'
import { megaface } from './megaface.js'
import { pairProtocols } from './pairs.js'
import type { Protocol } from './protocol.js'

export const PROTOCOLS: readonly Protocol[] = [...pairProtocols, ...ijbProtocols, megaface]

/**
 * @param explained adds to the message where the name was written
 * @throws FacexError ERR_CONFIG that lists the known ones
 */
export function findProtocol(name: string, explained: (text: string) => string): Protocol {
  const protocol = PROTOCOLS.find((row) => row.name === name)
  if (protocol === undefined) throw new FacexError('ERR_CONFIG', explained(unknownName('protocol', name, PROTOCOLS.map((row) => row.name))))
  return protocol
}
