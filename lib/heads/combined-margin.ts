import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const combinedMargin = defineHead({
  name: 'CombinedMargin',
  summary: 's (cos(m1 theta + m2) - m3): SphereFace, ArcFace and CosFace in one',
  paper: 'arXiv:1801.07698',
  options: {
    m1: z.number().min(1).default(1).describe('factor on the angle'),
    m2: margin(0.3, 'radians'),
    m3: margin(0.2),
    scale: scale(64),
  },
})
