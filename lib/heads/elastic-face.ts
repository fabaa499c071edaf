import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const elasticFace = defineHead({
  name: 'ElasticFace',
  summary: 'ArcFace or CosFace with a margin drawn anew for every sample',
  paper: 'arXiv:2109.09416',
  options: {
    loss_type: z.enum(['arc', 'cos']).default('arc').describe('margin on the angle or on the cosine'),
    margin: margin(0.5),
    std: z.number().min(0).default(0.0125).describe('standard deviation of the margin'),
    scale: scale(64),
  },
})
