import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const arcFace = defineHead({
  name: 'ArcFace',
  summary: 'additive margin on the angle: s cos(theta y + m)',
  paper: 'arXiv:1801.07698',
  options: {
    margin_arc: margin(0.35, 'radians'),
    margin_am: z.number().min(0).default(0).describe('penalty on the cosine where theta + m would pass pi'),
    scale: scale(32),
  },
})
