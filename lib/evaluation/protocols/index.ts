/**
 * The table of evaluation protocols.
 * @module
 */
import { ijbProtocols } from './ijb.js'
import { megaface } from './megaface.js'
import { pairProtocols } from './pairs.js'
import type { Protocol } from './protocol.js'

export const PROTOCOLS: readonly Protocol[] = [...pairProtocols, ...ijbProtocols, megaface]
