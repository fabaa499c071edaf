/** Half a cosine wave down (Loshchilov and Hutter, "SGDR", 2017), without restarts. @module */
import { z } from 'zod'
import { decay, decayKeys } from './decay.js'
import { defineSchedule } from './schedule.js'

const schema = z.strictObject(decayKeys)

export const cosine = defineSchedule({
  name: 'cosine',
  summary: 'half a cosine wave from lr to min_lr',
  schema,
  create: (options, context) => decay(options, context, (progress) => (1 + Math.cos(Math.PI * progress)) / 2),
})
