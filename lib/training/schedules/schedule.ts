/**
 * What every learning-rate schedule is: a pure function from the number of a step to its rate. A resumed run needs no
 * schedule state, because the step says it all. Options are those of lib/config.
 * @module
 */
import type { RunConfig } from '../../config/run.js'

export type ScheduleConfig = RunConfig['schedule']
/** Checked options of the schedule of that name. */
export type ScheduleOptions<Name extends ScheduleConfig['name']> = Extract<ScheduleConfig, { name: Name }>

export interface ScheduleContext {
  /** The configured learning rate, reached after warm-up. */
  readonly lr: number
  readonly stepsPerEpoch: number
  readonly epochs: number
}

/** Learning rate of a step, counted from 0. */
export type LearningRate = (step: number) => number

export interface Schedule<Name extends ScheduleConfig['name']> {
  readonly name: Name
  readonly summary: string
  create(options: ScheduleOptions<Name>, context: ScheduleContext): LearningRate
}

/** Rates of the steps `first` to `first + count - 1`: what one run of steps takes along. */
export function learningRates(rate: LearningRate, first: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => rate(first + i))
}
