import { defineHead, margin, scale } from './head.js'

export const cosFace = defineHead({
  name: 'CosFace',
  summary: 'AM-Softmax with [K, D] weights and the scale of the insightface family',
  paper: 'arXiv:1801.09414',
  options: { margin: margin(0.4), scale: scale(64) },
})
