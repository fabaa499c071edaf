import { z } from 'zod'

import { defineHead } from './head.js'

export const triplet = defineHead({
  name: 'Triplet',
  summary: 'triplets of a batch: the other identity a margin farther than the own one',
  paper: 'arXiv:1503.03832',
  centres: false,
  options: {
    margin: z.number().positive().max(4).default(2.5).describe('on the squared distance of unit embeddings, which is at most 4'),
    mining: z
      .enum(['all', 'random', 'semi-hard', 'hardest'])
      .default('random')
      .describe('negative of each pair of an identity, inside the margin: all, any, any behind the positive, the nearest'),
  },
})
