/** The learning-rate schedules that there are. @module */
import { cosine } from './cosine.js'
import { polynomial } from './polynomial.js'
import type { Schedule } from './schedule.js'
import { step } from './step.js'

export const schedules: readonly Schedule[] = [step, cosine, polynomial]
