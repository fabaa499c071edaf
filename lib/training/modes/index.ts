/** The table of training modes. @module */
import { extendTable } from '../../config/extend-table.js'
import { FacexError, unknownName } from '../../errors.js'
import { conventional } from './conventional.js'
import { distillation } from './distillation.js'
import { siamese, triplet } from './pair-losses.js'
import type { Mode } from './mode.js'
import { semiSiamese } from './semi-siamese.js'

export { defineMode } from './mode.js'
export type { Mode, ModeConfig, ModeContext, ModePlan, TrainedNetwork } from './mode.js'

/** Every mode, in the order of listings. */
export const MODES: readonly Mode[] = [conventional, semiSiamese, siamese, triplet, distillation]

/**
 * The mode of that name, of facex or of the user's own.
 * @throws FacexError ERR_CONFIG for an unknown name, with the nearest known one, and for an own mode with a shipped name
 */
export function findMode(name: string, own: readonly Mode[] = []): Mode {
  const table = extendTable('mode', MODES, own)
  const found = table.find((mode) => mode.name === name)
  if (found === undefined) throw new FacexError('ERR_CONFIG', unknownName('mode', name, table.map((mode) => mode.name)))
  return found
}
