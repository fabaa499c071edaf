import { defineHead } from './head.js'

export const adaCos = defineHead({
  name: 'AdaCos',
  summary: 'no margin; the scale follows the training',
  paper: 'arXiv:1905.00292',
  options: {},
})
