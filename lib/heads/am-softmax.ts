import { defineHead, margin, scale } from './head.js'

export const amSoftmax = defineHead({
  name: 'AM-Softmax',
  summary: 'additive margin on the cosine: s (cos y - m)',
  paper: 'arXiv:1801.05599',
  options: { margin: margin(0.35), scale: scale(32) },
})
