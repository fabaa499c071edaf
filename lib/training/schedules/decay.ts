/** What the schedules that fall to a smallest rate over the whole run share. @module */
import type { LearningRate, ScheduleContext, ScheduleOptions } from './schedule.js'
import { warmupSteps, withWarmup } from './warmup.js'

type DecayOptions = Omit<ScheduleOptions<'cosine'>, 'name'>

/** Falls from the configured rate to `min_lr` along `shape`, which goes from 1 to 0 while its argument goes from 0 to 1. */
export function decay(options: DecayOptions, context: ScheduleContext, shape: (progress: number) => number): LearningRate {
  const begin = options.decay_after_warmup ? warmupSteps(options, context) : 0
  const length = Math.max(1, context.epochs * context.stepsPerEpoch - begin)
  return withWarmup(options, context, (step) => {
    const progress = Math.min(1, (step - begin) / length)
    return options.min_lr + (context.lr - options.min_lr) * shape(progress)
  })
}
