/** The learning-rate schedules that there are. @module */
import { cosine } from './cosine.js'
import { polynomial } from './polynomial.js'
import type { LearningRate, Schedule, ScheduleConfig, ScheduleContext } from './schedule.js'
import { step } from './step.js'

const SCHEDULES: { readonly [Name in ScheduleConfig['name']]: Schedule<Name> } = { step, cosine, polynomial }

/** The learning rate that a checked configuration describes. */
export function createSchedule(config: ScheduleConfig, context: ScheduleContext): LearningRate {
  const schedule = SCHEDULES[config.name] as Schedule<ScheduleConfig['name']>
  return schedule.create(config, context)
}
