/** The rise at the start that all schedules offer (Goyal et al., "Accurate, Large Minibatch SGD", 2017). @module */
import type { LearningRate, ScheduleConfig, ScheduleContext } from './schedule.js'

type WarmupOptions = Pick<ScheduleConfig, 'warmup_epochs' | 'warmup_lr'>

/** Number of steps that warm-up takes. */
export function warmupSteps(options: WarmupOptions, context: ScheduleContext): number {
  return Math.round(options.warmup_epochs * context.stepsPerEpoch)
}

/**
 * `after` with a straight rise from `warmup_lr` to the configured rate in front of it. The last warm-up step has the
 * full rate and the first a little more than `warmup_lr`, so no step is spent at rate 0.
 */
export function withWarmup(options: WarmupOptions, context: ScheduleContext, after: LearningRate): LearningRate {
  const steps = warmupSteps(options, context)
  const start = options.warmup_lr
  return (step) => (step < steps ? start + ((context.lr - start) * (step + 1)) / steps : after(step))
}
