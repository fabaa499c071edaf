/** `(1 - progress) ** power`; insightface's recipes use power 2. @module */
import { decay } from './decay.js'
import type { Schedule } from './schedule.js'

export const polynomial: Schedule<'polynomial'> = {
  name: 'polynomial',
  summary: '(1 - progress) ** power from lr to min_lr',
  create: (options, context) => decay(options, context, (progress) => (1 - progress) ** options.power),
}
