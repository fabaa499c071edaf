import { defineHead, margin, scale } from './head.js'

export const curricularFace = defineHead({
  name: 'CurricularFace',
  summary: 'margin on the angle; hard classes gain weight as training succeeds',
  paper: 'arXiv:2004.00288',
  options: { margin: margin(0.5, 'radians'), scale: scale(64) },
})
