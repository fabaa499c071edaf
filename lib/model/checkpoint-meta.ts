/**
 * What a checkpoint says besides its tensors, and how that becomes text.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../errors.js'
import { preprocessingSchema } from './preprocessing.js'

const count = z.int().min(0)
/** Also NaN and infinite ones: what happened is recorded as it was. */
const anyNumber = z.custom<number>((value) => typeof value === 'number', 'expected a number')

export const checkpointMetaSchema = z.object({
  versions: z.object({ facex: z.string(), node: z.string(), libtorch: z.string() }).describe('of the programs that wrote it'),
  position: z
    .object({
      step: count.describe('optimizer steps finished'),
      epoch: count.describe('epochs finished'),
      batch: count.describe('batches finished of the epoch that was running; 0 at the end of an epoch'),
    })
    .describe('where training stands; with the seed this is also the state of every sampler'),
  seed: count.describe('of weights, order, augmentation and dropout; random numbers are a function of it and the position'),
  counters: z.record(z.string(), anyNumber).describe('scalar training state of the engine: loss scale and such'),
  config: z.record(z.string(), z.unknown()).describe('the resolved configuration of the run'),
  preprocessing: preprocessingSchema.describe('how pixels become numbers'),
  backbone: z
    .object({ name: z.string(), config: z.record(z.string(), z.unknown()) })
    .describe('the network with all its options, as `buildBackbone` takes them'),
  classes: z.object({ count, hash: z.string() }).optional().describe('identities of the training data and a hash of their names in label order'),
  metrics: z.record(z.string(), anyNumber).describe('last evaluation, by name'),
  score: anyNumber.optional().describe('what "best" compares: higher is better; absent where nothing was evaluated'),
  state: z.record(z.string(), z.unknown()).default({}).describe('further plain state of the run, such as early stopping'),
})

export type CheckpointMeta = Readonly<z.output<typeof checkpointMetaSchema>>

/** JSON has no word for these numbers, and a NaN metric must not cost the checkpoint. */
const NUMBER = '$number'

/** Text of any plain value; every finite number, NaN and the infinities come back exactly. */
export function encodeMeta(meta: CheckpointMeta): string {
  return JSON.stringify(meta, (_key, value: unknown) => {
    const special = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    return special ? { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) } : value
  })
}

/** @throws FacexError ERR_CHECKPOINT listing what is missing or of a wrong type */
export function decodeMeta(text: string): CheckpointMeta {
  let plain: unknown
  try {
    plain = JSON.parse(text, (_key, value: unknown) => {
      const special = typeof value === 'object' && value !== null && NUMBER in value
      return special ? Number(value[NUMBER]) : value
    })
  } catch (error) {
    throw new FacexError('ERR_CHECKPOINT', 'the description of the checkpoint is not JSON', { cause: error })
  }
  const result = checkpointMetaSchema.safeParse(plain)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new FacexError('ERR_CHECKPOINT', `the description of the checkpoint is incomplete: ${problems.join('; ')}`, { problems })
}
