/**
 * What decides the order of an epoch. A sampler is made in TypeScript, by facex or by its user, and hands out an array
 * of sample indices for each epoch; the rest is native.
 * @module
 */
import type { z } from 'zod'

import { FacexError } from '../../errors.js'

/** What a sampler may look at. */
export interface SamplerContext {
  /** Class of each sample. */
  readonly labels: Int32Array
  readonly classCount: number
  readonly batchSize: number
  readonly seed: number
  /** Sources behind each other and their shares of an epoch. */
  readonly parts: readonly { readonly first: number; readonly size: number; readonly weight: number }[]
}

/** The order of every epoch, a pure function of the seed and the epoch's number: resuming needs nothing else. */
export interface EpochOrder {
  /** Images of one sample, which stand side by side in the order. */
  readonly views: number
  /** Sample indices of the epoch; the same array content whenever it is asked for. */
  order(epoch: number): Uint32Array
}

/** One row of the table of samplers. */
export interface SamplerDefinition<S extends z.ZodType = z.ZodType> {
  readonly kind: 'sampler'
  readonly name: string
  readonly summary: string
  /** Options of the `data.sampler` mapping besides `name`. */
  readonly schema: S
  /** @throws FacexError ERR_CONFIG or ERR_DATA when the data does not allow what the options ask for */
  create(config: z.output<S>, context: SamplerContext): EpochOrder
}

/**
 * For samplers that draw by identity, whatever the source.
 * @throws FacexError ERR_CONFIG for a source with a weight, which would be ignored
 */
export function refuseWeights(name: string, { parts }: SamplerContext): void {
  const source = parts.findIndex(({ weight }) => weight !== 1)
  if (source < 0) return
  throw new FacexError('ERR_CONFIG', `data.train[${source}].weight: sampler "${name}" draws by identity and has no use for weights; leave it out, or take sampler "shuffle"`)
}

/** Types a definition by its own schema. */
export function defineSampler<S extends z.ZodType>(definition: Omit<SamplerDefinition<S>, 'kind'>): SamplerDefinition {
  return { ...definition, kind: 'sampler' } as unknown as SamplerDefinition
}
