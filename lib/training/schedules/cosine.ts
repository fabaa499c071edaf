/** Half a cosine wave down (Loshchilov and Hutter, "SGDR", 2017), without restarts. @module */
import { decay } from './decay.js'
import type { Schedule } from './schedule.js'

export const cosine: Schedule<'cosine'> = {
  name: 'cosine',
  summary: 'half a cosine wave from lr to min_lr',
  create: (options, context) => decay(options, context, (progress) => (1 + Math.cos(Math.PI * progress)) / 2),
}
