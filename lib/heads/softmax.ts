import { defineHead } from './head.js'

export const softmax = defineHead({
  name: 'Softmax',
  summary: 'linear layer without margin, normalisation or bias: the baseline',
  options: {},
})
