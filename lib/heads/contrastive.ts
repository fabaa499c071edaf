import { z } from 'zod'

import { defineHead } from './head.js'

export const contrastive = defineHead({
  name: 'Contrastive',
  summary: 'pairs of a batch: images of one identity together, others a margin apart',
  paper: 'Hadsell, Chopra, LeCun, CVPR 2006',
  centres: false,
  options: {
    margin: z.number().positive().max(2).default(1).describe('distance between unit embeddings that others should have'),
    mining: z
      .enum(['all', 'random', 'semi-hard', 'hardest'])
      .default('hardest')
      .describe('pairs of different identities: all, or as many as pairs of one: any, any inside the margin, the nearest'),
  },
})
