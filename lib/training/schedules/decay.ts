/** What the schedules that fall to a smallest rate over the whole run share. @module */
import { z } from 'zod'
import { type LearningRate, type ScheduleContext, warmupKeys, type WarmupOptions, warmupSteps, withWarmup } from './schedule.js'

export const decayKeys = {
  /** Rate at the end. */
  min_lr: z.number().min(0).default(0),
  /**
   * Whether the fall begins at the end of warm-up. `false` counts it from the first step, so that the rate jumps a
   * little when warm-up ends: what timm's cosine does by default and the published Swin models were trained with.
   */
  decay_after_warmup: z.boolean().default(true),
  ...warmupKeys,
}

export interface DecayOptions extends WarmupOptions {
  readonly min_lr: number
  readonly decay_after_warmup: boolean
}

/** Falls from the configured rate to `min_lr` along `shape`, which goes from 1 to 0 while its argument goes from 0 to 1. */
export function decay(options: DecayOptions, context: ScheduleContext, shape: (progress: number) => number): LearningRate {
  const begin = options.decay_after_warmup ? warmupSteps(options, context) : 0
  const length = Math.max(1, context.epochs * context.stepsPerEpoch - begin)
  return withWarmup(options, context, (step) => {
    const progress = Math.min(1, (step - begin) / length)
    return options.min_lr + (context.lr - options.min_lr) * shape(progress)
  })
}
