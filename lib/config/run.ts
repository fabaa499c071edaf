/**
 * The configuration of a training run: what `facex train` reads and `train()` of the API takes.
 *
 * Options that belong to one backbone, head, mode, sampler or augmentation are checked where that thing is made, with
 * the same wording and the same line numbers: here those mappings are open.
 * @module
 */
import { z } from 'zod'

import { object } from './check.js'
import { dataSchema } from './data.js'
import { evaluationSchema } from './evaluation.js'
import { optimizerSchema, scheduleSchema } from './optimizer.js'

/** `fp32` and the like, as in every command. */
export const precisionSchema = z.enum(['fp32', 'bf16', 'fp16'])
export const deviceSchema = z.enum(['auto', 'cpu', 'cuda'])

function typed(kind: string) {
  return z.looseObject({
    type: z.string().min(1).describe(`name of the ${kind}`),
    conf_file: z.string().min(1).optional().describe(`YAML file whose entry of that name gives options (FaceX-Zoo's ${kind}_conf.yaml); keys here win`),
  })
}

const checkpoint = object({
  every_epochs: z.int().min(1).default(1).describe('epochs between checkpoints; the end of the run always writes one'),
  every_steps: z.int().min(1).optional().describe('also after every so many steps'),
  every_minutes: z.number().positive().optional().describe('also after every so many minutes'),
  while_training: z.boolean().default(true).describe('write while training goes on; false waits for the disk, and needs no memory for the copy beside that of a step'),
  keep_last: z.int().min(1).default(2).describe('newest checkpoints that are kept'),
  keep_best: z.boolean().default(true).describe('keep the one with the best evaluation as well'),
  keep_every_epochs: z.int().min(1).optional().describe('keep the checkpoints of every so many epochs for good'),
})

const distributed = object({
  gradients: z.enum(['full', 'bf16']).default('full').describe('how gradients travel: as they are, or as bfloat16 in half of the volume'),
  bucket_mb: z.number().positive().default(4).describe('gradients are sent in pieces of about so many MiB'),
  join_seconds: z.number().positive().default(300).describe('time for all processes to arrive'),
  timeout_seconds: z.number().positive().default(600).describe('longest wait for another process that is alive'),
  silence_seconds: z.number().min(2).default(20).describe('a process that has not been heard of for so long is dead'),
})

const log = object({
  every: z.int().min(1).default(50).describe('steps between log lines and metrics'),
  dir: z.string().min(1).optional().describe('folder of log and metrics; the run folder when left out'),
  tensorboard: z.boolean().default(true).describe('write TensorBoard event files'),
  tensorboard_dir: z.string().min(1).optional().describe('folder of the event files; "tensorboard" in the log folder when left out'),
})

const init = object({
  weights: z.string().min(1).describe('checkpoint, safetensors or PyTorch file to start from'),
  head: z.boolean().default(false).describe('take the head too; its class count must agree'),
  partial: z.boolean().default(false).describe('allow entries to be missing, unexpected or of another shape'),
})

const about = object({
  summary: z.string().optional().describe('what the run is for, in one line'),
  published: z.record(z.string(), z.number()).optional().describe('results that others published for it, in percent'),
})

export const runSchema = object({
  about: about.optional().describe('for readers; nothing depends on it'),
  extensions: z.array(z.string().min(1)).default([]).describe('modules that add backbones, heads, samplers or modes; relative to this file'),
  out_dir: z.string().min(1).default('runs/default').describe('run folder: configuration, log, metrics, checkpoints'),
  data: dataSchema.describe('training data'),
  backbone: typed('backbone').describe('the network; further keys are its own options'),
  head: typed('head').describe('the margin head; further keys are its own options'),
  mode: z
    .looseObject({ name: z.string().min(1).default('conventional').describe('name of the training mode') })
    .prefault({})
    .describe('the training mode; further keys are its own options'),
  init: init.optional().describe('weights to start from'),
  freeze: z.array(z.string().min(1)).default([]).describe('parameters that do not learn: name patterns with *, such as backbone.conv1.*'),
  epochs: z.int().min(1).describe('passes over the training data'),
  batch_size: z.int().min(1).default(64).describe('samples of one forward pass, of all processes together'),
  accumulate: z.int().min(1).default(1).describe('forward passes whose gradients make one step'),
  optimizer: optimizerSchema.prefault({}).describe('optimizer'),
  schedule: scheduleSchema.prefault({}).describe('learning rate over the run'),
  ema: object({ decay: z.number().gt(0).lt(1).default(0.9999).describe('share of the old average that stays at each step') })
    .optional()
    .describe('also keep a moving average of the weights, and evaluate that'),
  early_stopping: object({
    patience: z.int().min(1).describe('evaluations without improvement before the run ends'),
    min_delta: z.number().min(0).default(0).describe('accuracy that counts as improvement'),
  })
    .optional()
    .describe('end the run when the evaluation stops improving'),
  sync_batch_norm: z.boolean().default(false).describe('several processes: batch norm takes its statistics over all of them'),
  distributed: distributed.prefault({}).describe('several processes'),
  device: deviceSchema.default('auto').describe('cuda fails where it is unusable; auto falls back to cpu and says so'),
  precision: precisionSchema.default('fp32').describe('of activations; heads, losses and statistics are always fp32'),
  tf32: z.boolean().default(true).describe('on CUDA, fp32 products (those of heads too) may round their operands to TF32: faster, 10 bits of mantissa'),
  cuda_graphs: z.boolean().default(false).describe('on CUDA, record forward and backward of the networks once and launch them as a whole: faster for small networks, more memory; without dropout, one process; see docs/cuda.md'),
  recompute: z.union([z.boolean(), z.enum(['auto', 'light'])]).default('auto').describe('light: values of norms, activations and gates are not kept for the way back but computed again, the same numbers in less memory; true: whole stages too, much less memory for about a third more time; false: everything is kept; auto: light on the CPU, false on CUDA'),
  threads: z.int().min(1).optional().describe('threads of tensor operations; all cores, shared between the processes of a machine, when left out'),
  seed: z.int().min(0).max(2 ** 32 - 1).default(0).describe('of weights, order, augmentation, dropout'),
  on_non_finite: z.enum(['stop', 'skip']).default('stop').describe('a loss that is NaN or infinite: stop the run, or skip that step and count it'),
  evaluation: evaluationSchema.prefault({}).describe('evaluation during training'),
  checkpoint: checkpoint.prefault({}).describe('checkpoints'),
  log: log.prefault({}).describe('logging'),
})
  .describe('Configuration of a facex training run')

/** What a file may hold: a file that extends others need not be complete itself. For editors; see `extends.ts`. */
export const runFileSchema = runSchema
  .partial()
  .extend({ extends: z.union([z.string(), z.array(z.string())]).optional().describe('files, relative to this one, whose values this one changes') })
  .describe('Configuration of a facex training run')

/** A checked configuration with every default filled in. */
export type RunConfig = z.output<typeof runSchema>
/** What users write: defaults may be left out. */
export type RunConfigInput = z.input<typeof runSchema>
