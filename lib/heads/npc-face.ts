import { defineHead, margin, scale } from './head.js'

export const npcFace = defineHead({
  name: 'NPCFace',
  summary: 'hard negatives weigh more and widen the margin of their positive',
  paper: 'arXiv:2007.10172',
  options: { margin: margin(0.35, 'radians'), scale: scale(32) },
})
