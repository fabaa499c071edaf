/** Which heads classification can use: those that learn a centre for each identity. @module */
import { FacexError } from '../../errors.js'
import type { HeadPieces } from '../../heads/index.js'

/** The modes of the shipped heads that have none. */
const MODE_OF: Readonly<Record<string, string>> = { Contrastive: 'siamese', SST_Prototype: 'semi-siamese', Triplet: 'triplet' }

/** @throws FacexError ERR_CONFIG for a head without class centres, with the mode that it goes with */
export function requireCentres(mode: string, { name, centres }: HeadPieces): void {
  if (centres !== undefined) return
  const own = MODE_OF[name]
  const hint = own === undefined ? '' : `, which goes with mode.name: ${own}`
  throw new FacexError('ERR_CONFIG', `mode ${mode}: expected a head with a centre for each identity, received head.type: ${name}${hint}`)
}
