/**
 * The outside shape of an evaluation protocol: what its files are called in data_conf.yaml, which options it takes, and
 * how its files become figures.
 * @module
 */
import type { z } from 'zod'

import { FacexError } from '../../errors.js'
import type { EmbedOptions, EvaluateOptions, Evaluation, ImageEmbedder } from '../evaluate.js'
import type { IdentificationResult } from '../megaface.js'
import type { ImagePairs } from '../pair-set.js'
import type { TemplateIdentification } from '../template-identification.js'
import type { TemplateVerification } from '../template-verification.js'

/** `kind` says which figures a result has. */
export type ProtocolResult =
  /** `set` names the images of the pairs, for pictures. */
  | ({ readonly kind: 'verification'; readonly set: ImagePairs } & Evaluation)
  | ({ readonly kind: 'templates' } & TemplateVerification)
  | ({ readonly kind: 'template-identification' } & TemplateIdentification)
  | ({ readonly kind: 'identification' } & IdentificationResult)

/** Options that belong to some protocols only. */
export type ProtocolOption = 'rule' | 'folds' | 'fars'

export interface ProtocolOptions extends EmbedOptions, Pick<EvaluateOptions, ProtocolOption> {}

/** A protocol whose lists are read and whose images are known to exist. */
export interface OpenProtocol {
  /** The options that it has a use for. */
  readonly takes: readonly ProtocolOption[]
  /** Its pairs of images, where it has such. */
  readonly pairs?: ImagePairs
  /**
   * Refuses options that the protocol has no use for: ignored ones would make a report say something else than was asked.
   * @throws FacexError ERR_USAGE
   */
  checkOptions(options: ProtocolOptions): void
  /** @throws FacexError ERR_USAGE as {@link checkOptions}; ERR_DATA for an image that does not decode; ERR_NON_FINITE */
  run(embedder: ImageEmbedder, options: ProtocolOptions): Promise<ProtocolResult>
}

export interface Protocol<Config = unknown> {
  readonly name: string
  readonly summary: string
  /** The keys of an entry in data_conf.yaml; every text in it is a path. */
  readonly schema: z.ZodType<Config>
  /**
   * @param name the entry's, for results
   * @throws FacexError ERR_DATA for lists with mistakes or missing images
   */
  create(config: Config, name: string): OpenProtocol
}

/** What a protocol says of itself; {@link defineProtocol} adds the check of options. */
export interface ProtocolDefinition<Config> extends Omit<Protocol<Config>, 'create'> {
  readonly options: readonly ProtocolOption[]
  create(config: Config, name: string): Pick<OpenProtocol, 'pairs' | 'run'>
}

/** Lets the compiler check `create` against the schema; the table holds protocols of every configuration. */
export function defineProtocol<Config>({ options, create, ...definition }: ProtocolDefinition<Config>): Protocol {
  const protocol: Protocol<Config> = {
    ...definition,
    create(config, name) {
      const { run, ...rest } = create(config, name)
      const checkOptions = (given: ProtocolOptions) => refuseOthers(options, given, definition.name)
      return {
        ...rest,
        takes: options,
        checkOptions,
        async run(embedder, given) {
          checkOptions(given)
          return run(embedder, given)
        },
      }
    },
  }
  return protocol as Protocol
}

/** Words of the command line for each option. */
const OPTION_FLAGS: Readonly<Record<ProtocolOption, string>> = { rule: '--rule', folds: '--folds', fars: '--far' }

function refuseOthers(known: readonly ProtocolOption[], given: ProtocolOptions, protocol: string): void {
  const others = (Object.keys(OPTION_FLAGS) as ProtocolOption[]).filter((option) => given[option] !== undefined && !known.includes(option))
  if (others.length === 0) return
  const takes = known.length === 0 ? 'takes neither --rule nor --folds nor --far' : `takes ${known.map((option) => OPTION_FLAGS[option]).join(', ')} only`
  throw new FacexError('ERR_USAGE', `${others.map((option) => OPTION_FLAGS[option]).join(', ')}: protocol ${protocol} ${takes}`)
}
