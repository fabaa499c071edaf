import { z } from 'zod'

import { defineHead, margin, scale } from './head.js'

export const sstPrototype = defineHead({
  name: 'SST_Prototype',
  summary: 'softmax over a queue of gallery features, for semi-siamese training',
  paper: 'arXiv:2007.08398',
  centres: false,
  options: {
    queue_size: z.int().min(1).default(16384).describe('prototypes kept'),
    scale: scale(32),
    loss_type: z.enum(['softmax', 'am_softmax', 'arc_softmax']).default('am_softmax').describe('margin: none, on the cosine or on the angle'),
    margin: margin(0.35),
  },
  // The classes are the slots of the queue, whatever the number of identities.
  classes: (config) => Number(config['queue_size']),
})
