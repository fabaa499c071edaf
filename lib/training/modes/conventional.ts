/** Classification of identities with a margin head. @module */
import { accumulate, backward, batch, forward, loss } from '../program.js'
import { requireCentres } from './class-centres.js'
import { defineMode } from './mode.js'

export const conventional = defineMode({
  name: 'conventional',
  summary: 'classification of identities with a margin head',
  options: {},
  create(_, context) {
    requireCentres('conventional', context.head)
    return {
      networks: { backbone: context.graph },
      heads: { head: context.head },
      program: [
        ...accumulate(context.accumulate, (share) => [
          batch(['images']),
          forward('backbone', 'images', 'embeddings'),
          loss('head', 'embeddings', { weight: share }),
          backward(),
        ]),
        ...context.finish,
      ],
      order: context.order('shuffle'),
      copies: [],
    }
  },
})
