/**
 * The outside shape of an evaluation protocol: what its files are called in data_conf.yaml, and how they become figures.
 * @module
 */
import type { z } from 'zod'

import type { EmbedOptions, EvaluateOptions, Evaluation, ImageEmbedder } from '../evaluate.js'
import type { IdentificationResult } from '../megaface.js'
import type { TemplateVerification } from '../template-verification.js'

/** `kind` says which figures a result has. */
export type ProtocolResult = ({ readonly kind: 'verification' } & Evaluation) | ({ readonly kind: 'templates' } & TemplateVerification) | ({ readonly kind: 'identification' } & IdentificationResult)

export interface ProtocolOptions extends EmbedOptions, Pick<EvaluateOptions, 'rule' | 'folds'> {}

/** A protocol whose lists are read and whose images are known to exist. */
export interface OpenProtocol {
  run(embedder: ImageEmbedder, options: ProtocolOptions): Promise<ProtocolResult>
}

export interface Protocol<Config = unknown> {
  readonly name: string
  readonly summary: string
  /** The keys of an entry in data_conf.yaml. */
  readonly schema: z.ZodType<Config>
  /**
   * @param name the entry's, for results
   * @throws FacexError ERR_DATA for lists with mistakes or missing images
   */
  create(config: Config, name: string): OpenProtocol
}

/** Lets the compiler check `create` against the schema; the table holds protocols of every configuration. */
export function defineProtocol<Config>(protocol: Protocol<Config>): Protocol {
  return protocol as Protocol
}
