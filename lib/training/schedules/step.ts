/** Constant rate with drops at epoch milestones, as FaceX-Zoo's `--step 10,13,16` and PyTorch's MultiStepLR. @module */
import { z } from 'zod'
import { defineSchedule, warmupKeys, withWarmup } from './schedule.js'

const schema = z.strictObject({
  /** Epochs at whose beginning the rate drops; fractions are fine. */
  milestones: z.array(z.number().positive()).default([]),
  /** Factor of each drop. */
  gamma: z.number().positive().max(1).default(0.1),
  ...warmupKeys,
})

export const step = defineSchedule({
  name: 'step',
  summary: 'constant, multiplied by gamma at epoch milestones',
  schema,
  create: (options, context) => {
    const drops = options.milestones.map((epoch) => Math.round(epoch * context.stepsPerEpoch))
    return withWarmup(options, context, (step) => context.lr * options.gamma ** drops.filter((drop) => drop <= step).length)
  },
})
