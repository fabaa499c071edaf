import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const subCenterArcFace = defineHead({
  name: 'SubCenterArcFace',
  summary: 'ArcFace with several centres a class: noisy images gather around the others',
  paper: 'ECCV 2020, Sub-center ArcFace',
  options: {
    num_subcenters: z.int().min(1).default(3).describe('centres a class'),
    margin: margin(0.5, 'radians'),
    scale: scale(64),
  },
})
