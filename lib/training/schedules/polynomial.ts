/** `(1 - progress) ** power`; insightface's recipes use power 2. @module */
import { z } from 'zod'
import { decay, decayKeys } from './decay.js'
import { defineSchedule } from './schedule.js'

const schema = z.strictObject({ power: z.number().positive().default(2), ...decayKeys })

export const polynomial = defineSchedule({
  name: 'polynomial',
  summary: '(1 - progress) ** power from lr to min_lr',
  schema,
  create: (options, context) => decay(options, context, (progress) => (1 - progress) ** options.power),
})
