import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const magFace = defineHead({
  name: 'MagFace',
  summary: 'margin on the angle that grows with the length of the embedding',
  paper: 'arXiv:2103.06627',
  options: {
    margin_am: z.number().min(0).default(0).describe('penalty on the cosine where theta + m would pass pi'),
    scale: scale(64),
    l_a: z.number().positive().default(10).describe('shortest length'),
    u_a: z.number().positive().default(110).describe('greatest length'),
    l_margin: margin(0.45, 'radians').describe('margin at l_a, in radians'),
    u_margin: margin(0.8, 'radians').describe('margin at u_a, in radians'),
    lamda: z.number().min(0).default(20).describe('weight of the regulariser'),
  },
})
