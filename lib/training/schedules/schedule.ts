/**
 * What every learning-rate schedule is: a pure function from the number of a step to its rate. A resumed run needs no
 * schedule state, because the step says it all.
 * @module
 */
import { z } from 'zod'

export interface ScheduleContext {
  /** The configured learning rate, reached after warm-up. */
  readonly lr: number
  readonly stepsPerEpoch: number
  readonly epochs: number
}

/** Learning rate of a step, counted from 0. */
export type LearningRate = (step: number) => number

export interface Schedule {
  readonly name: string
  readonly summary: string
  /** Its options without `name`, defaults included. */
  readonly schema: z.ZodObject
  /** `options` as the user gave them: checked and completed here. */
  create(options: unknown, context: ScheduleContext): LearningRate
}

/** A schedule whose `create` sees checked options of the right type. */
export function defineSchedule<Options extends z.ZodObject>(definition: {
  readonly name: string
  readonly summary: string
  readonly schema: Options
  readonly create: (options: z.output<Options>, context: ScheduleContext) => LearningRate
}): Schedule {
  return { ...definition, create: (options, context) => definition.create(definition.schema.parse(options), context) }
}

/** Keys that every schedule has. */
export const warmupKeys = {
  /** Length of the warm-up in epochs; fractions are fine. */
  warmup_epochs: z.number().min(0).default(0),
  /** Rate from which warm-up rises. */
  warmup_lr: z.number().min(0).default(0),
}

export interface WarmupOptions {
  readonly warmup_epochs: number
  readonly warmup_lr: number
}

/** Number of steps that warm-up takes. */
export function warmupSteps(options: WarmupOptions, context: ScheduleContext): number {
  return Math.round(options.warmup_epochs * context.stepsPerEpoch)
}

/**
 * `after` with a straight rise from `warmup_lr` to the configured rate in front of it (Goyal et al., "Accurate, Large
 * Minibatch SGD", 2017). The last warm-up step has the full rate, so no step is spent at rate 0.
 */
export function withWarmup(options: WarmupOptions, context: ScheduleContext, after: LearningRate): LearningRate {
  const steps = warmupSteps(options, context)
  const start = options.warmup_lr
  return (step) => (step < steps ? start + ((context.lr - start) * (step + 1)) / steps : after(step))
}

/** Rates of the steps `first` to `first + count - 1`: what one run of steps takes along. */
export function learningRates(rate: LearningRate, first: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => rate(first + i))
}
