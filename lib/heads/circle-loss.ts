import { z } from 'zod'

import { defineHead, margin } from './head.js'

export const circleLoss = defineHead({
  name: 'CircleLoss',
  summary: 'every cosine is weighted by its distance from its optimum',
  paper: 'arXiv:2002.10857',
  options: { margin: margin(0.25), gamma: z.number().positive().default(256).describe('factor on the weighted cosines') },
})
