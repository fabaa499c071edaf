import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const arcNegFace = defineHead({
  name: 'ArcNegFace',
  summary: 'margin on the angle; other classes weigh by their nearness',
  paper: 'ICCV 2019 workshop, Towards flops-constrained face recognition',
  options: {
    margin: margin(0.5, 'radians'),
    scale: scale(64),
    alpha: z.number().positive().default(1.2).describe('largest weight of another class'),
    sigma: z.number().positive().default(2).describe('width of the weighting'),
  },
})
