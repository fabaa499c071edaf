/**
 * What a margin head is, seen from TypeScript: a name, a schema of its options, and the native head that they make.
 *
 * The mathematics lives in native/heads, in two forms that give the same numbers. N batch, D embedding, K classes.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../errors.js'
import type { NativeHeadSpec } from '../native.js'

/** The part of a native head that its configuration decides; dtype and device come from the run. */
export type HeadPieces = Pick<NativeHeadSpec, 'name' | 'featDim' | 'numClass' | 'sampleRate' | 'centres' | 'gemm' | 'values' | 'choices'>

export interface HeadDefinition {
  /** Tells heads from other exports of an extension. */
  readonly kind: 'head'
  /** As in head_conf.yaml. */
  readonly name: string
  /** One line for `facex` listings: what the margin does. */
  readonly summary: string
  /** Where the formula comes from, such as `arXiv:1801.07698`; absent when there is nothing to cite. */
  readonly paper?: string
  /** Strict: unknown keys are errors. Keys and defaults are FaceX-Zoo's where it has the head. */
  readonly schema: z.ZodType<HeadConfig>
  /** @throws FacexError ERR_CONFIG when `num_class` is not known. */
  create(config: HeadConfig): HeadPieces
}

/** Checked options of any head. */
export interface HeadConfig {
  readonly feat_dim: number
  /** Counted from the training list when left out. */
  readonly num_class?: number | undefined
  /** These three are absent in heads without class centres. */
  readonly sample_rate?: number | undefined
  readonly centres?: 'device' | 'host' | undefined
  readonly gemm?: 'fp32' | 'bf16' | undefined
  readonly [option: string]: unknown
}

/** Keys that every head has. */
export const COMMON_OPTIONS = {
  feat_dim: z.int().min(1).default(512).describe('length D of the embedding'),
  num_class: z.int().min(1).optional().describe('identities K; counted from the training list when left out'),
}

/** Keys of every head that has class centres. */
const CENTRES_OPTIONS = {
  sample_rate: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Partial FC: share of the classes that a step sees, those of its batch always among them; all when left out'),
  centres: z
    .enum(['device', 'host'])
    .optional()
    .describe("where class centres and their optimizer state live: on the run's device (default), or in the CPU's memory, from where the sample of each step travels to the device"),
  gemm: z
    .enum(['fp32', 'bf16'])
    .optional()
    .describe('precision of the products of embeddings and class centres: fp32 (default), or bf16; all that is kept stays fp32'),
}

/** Options of margin heads that many share; each head states its own default. */
export const scale = (value: number) => z.number().positive().default(value).describe('factor s on the cosines')
export const margin = (value: number, unit = 'cosine') => z.number().min(0).default(value).describe(`margin m, in ${unit}`)

/**
 * A head whose native options are its configuration as it stands: numbers become values, words become choices.
 * `options` are the keys beside `feat_dim` and `num_class`; `classes` gives K where it is not `num_class`.
 * A head without trained class centres says so and has none of the keys that concern them.
 */
export function defineHead(head: {
  name: string
  summary: string
  paper?: string
  options: z.ZodRawShape
  classes?: (config: HeadConfig) => number
  centres?: boolean
}): HeadDefinition {
  const { options, classes = (config: HeadConfig) => config.num_class, centres = true, ...about } = head
  const schema = z.strictObject({ ...COMMON_OPTIONS, ...(centres ? CENTRES_OPTIONS : {}), ...options }) as unknown as z.ZodType<HeadConfig>
  const create = (config: HeadConfig) => pieces(head.name, config, classes(config), centres)
  return { kind: 'head', ...about, schema, create }
}

function pieces(name: string, config: HeadConfig, numClass: number | undefined, hasCentres: boolean): HeadPieces {
  const { feat_dim: featDim, num_class: _, sample_rate: sampleRate = 1, centres = 'device', gemm, ...options } = config
  if (numClass === undefined) {
    throw new FacexError('ERR_CONFIG', `head ${name}: expected num_class, the number of identities, and found none; training counts it from the list`)
  }
  const values: Record<string, number> = {}
  const choices: Record<string, string> = {}
  for (const [key, value] of Object.entries(options)) {
    if (typeof value === 'number') values[key] = value
    else if (typeof value === 'boolean') values[key] = value ? 1 : 0
    else if (typeof value === 'string') choices[key] = value
  }
  const sampling = hasCentres ? { sampleRate, centres, ...(gemm === 'bf16' ? { gemm: 'bfloat16' as const } : {}) } : {}
  return { name, featDim, numClass, ...sampling, values, choices }
}
