/**
 * The table of samplers.
 * @module
 */
import { FacexError, unknownName } from '../../errors.js'
import { balanced } from './balanced.js'
import { pK } from './p-k.js'
import { pairs } from './pairs.js'
import type { SamplerDefinition } from './sampler.js'
import { shuffle } from './shuffle.js'

export { defineSampler, type EpochOrder, type SamplerContext, type SamplerDefinition } from './sampler.js'

/** Every sampler, in the order of listings. */
export const SAMPLERS: readonly SamplerDefinition[] = [shuffle, balanced, pairs, pK]

/**
 * The sampler of that name, of facex or of the user's own.
 * @throws FacexError ERR_CONFIG for an unknown name, with the nearest known one
 */
export function findSampler(name: string, table: readonly SamplerDefinition[] = SAMPLERS): SamplerDefinition {
  const found = table.find((sampler) => sampler.name === name)
  if (found === undefined) throw new FacexError('ERR_CONFIG', unknownName('sampler', name, table.map((sampler) => sampler.name)))
  return found
}
