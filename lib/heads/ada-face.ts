import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const adaFace = defineHead({
  name: 'AdaFace',
  summary: 'margin that moves from angle to cosine with image quality, read from the embedding length',
  paper: 'arXiv:2204.00964',
  options: {
    margin: margin(0.4),
    h: z.number().positive().default(0.333).describe('concentration: how far lengths spread over the margin'),
    scale: scale(64),
    t_alpha: z.number().min(0).max(1).default(0.01).describe('weight of a batch in the running mean and deviation of lengths'),
  },
})
