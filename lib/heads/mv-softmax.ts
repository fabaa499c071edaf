import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const mvSoftmax = defineHead({
  name: 'MV-Softmax',
  summary: 'additive margin, and a heavier weight on misclassified classes',
  paper: 'arXiv:1912.00833',
  options: {
    is_am: z.union([z.literal(0), z.literal(1), z.boolean()]).default(1).describe('1: margin on the cosine; 0: on the angle'),
    margin: margin(0.35),
    mv_weight: z.number().min(1).default(1.12).describe('weight of classes nearer than the margined own one'),
    scale: scale(32),
  },
})
