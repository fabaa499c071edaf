/** Constant rate with drops at epoch milestones, as FaceX-Zoo's `--step 10,13,16` and PyTorch's MultiStepLR. @module */
import type { Schedule } from './schedule.js'
import { withWarmup } from './warmup.js'

export const step: Schedule<'step'> = {
  name: 'step',
  summary: 'constant, multiplied by gamma at epoch milestones',
  create: (options, context) => {
    const drops = options.milestones.map((epoch) => Math.round(epoch * context.stepsPerEpoch))
    return withWarmup(options, context, (step) => context.lr * options.gamma ** drops.filter((drop) => drop <= step).length)
  },
}
