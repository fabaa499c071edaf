/**
 * Semi-siamese training for shallow data, two or a few images an identity (Du et al., "Semi-siamese training for shallow
 * face learning", ECCV 2020).
 *
 * The probe network (`backbone`) learns; the gallery network follows it as a moving average of parameters and keeps
 * batch statistics of its own. Each image of a pair is scored against a queue of gallery features in which the features
 * of the other image stand for its identity.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../../errors.js'
import { accumulate, average, backward, batch, enqueue, forward, loss } from '../program.js'
import { defineMode } from './mode.js'

const GALLERY = { gradient: false, batchStatistics: true, stochastic: false } as const

export const semiSiamese = defineMode({
  name: 'semi-siamese',
  summary: 'two networks and a queue of prototypes, for identities with few images',
  options: {
    alpha: z.number().min(0).max(1).default(0.999).describe('share of the old gallery network that stays at each step'),
    choice: z.enum(['random', 'alternate']).default('random').describe('which of the two galleries of a step enters the queue'),
  },
  create({ alpha, choice }, context) {
    const { accumulate: micro, batchSize, graph, head } = context
    const slots = head.values['queue_size']
    if (slots === undefined) {
      throw new FacexError('ERR_CONFIG', `mode semi-siamese: expected a head with a queue (head.type: SST_Prototype), received ${head.name}`)
    }
    if (slots % batchSize !== 0) {
      throw new FacexError('ERR_CONFIG', `head.queue_size: expected a multiple of batch_size (${batchSize}), received ${slots}; the nearest is ${Math.max(1, Math.round(slots / batchSize)) * batchSize}`)
    }
    return {
      networks: { backbone: graph, gallery: graph },
      heads: { head },
      program: [
        ...accumulate(micro, (share) => [
          batch(['first', 'second']),
          forward('backbone', 'first', 'probe 1'),
          forward('backbone', 'second', 'probe 2'),
          forward('gallery', 'second', 'gallery 2', GALLERY),
          forward('gallery', 'first', 'gallery 1', GALLERY),
          loss('head', 'probe 1', { name: 'loss 1', weight: share / 2, gallery: 'gallery 2' }),
          loss('head', 'probe 2', { name: 'loss 2', weight: share / 2, gallery: 'gallery 1' }),
          enqueue('head', ['gallery 1', 'gallery 2'], { choice }),
          backward(),
        ]),
        ...context.finish,
        average('backbone', 'gallery', alpha),
      ],
      order: context.order('pairs'),
      copies: ['gallery'],
    }
  },
})
