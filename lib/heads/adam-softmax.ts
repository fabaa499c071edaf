import { z } from 'zod'

import { defineHead, scale } from './head.js'

export const adamSoftmax = defineHead({
  name: 'AdaM-Softmax',
  summary: 'a learned margin for every class',
  paper: 'AdaptiveFace, CVPR 2019',
  options: { scale: scale(32), lamda: z.number().min(0).default(70).describe('weight of the reward for large margins') },
})
