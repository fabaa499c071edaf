/**
 * Training without class centres, on the distances inside batches of P identities with K images each: siamese
 * (contrastive loss) and triplet training. Miners are options of the heads.
 * @module
 */
import { FacexError } from '../../errors.js'
import { accumulate, backward, batch, forward, loss } from '../program.js'
import { defineMode, type Mode, type ModeContext, type ModePlan } from './mode.js'

export const siamese = pairMode('siamese', 'Contrastive', 'contrastive loss over the pairs of a batch')
export const triplet = pairMode('triplet', 'Triplet', 'triplet loss over the images of a batch')

function pairMode(name: string, head: string, summary: string): Mode {
  return defineMode({ name, summary, options: {}, create: (_, context) => plan(name, head, context) })
}

function plan(mode: string, expected: string, { accumulate: micro, finish, graph, head, order }: ModeContext): ModePlan {
  if (head.name !== expected) throw new FacexError('ERR_CONFIG', `mode ${mode}: expected head.type: ${expected}, received ${head.name}`)
  return {
    networks: { backbone: graph },
    heads: { head },
    program: [
      ...accumulate(micro, (share) => [
        batch(['images']),
        forward('backbone', 'images', 'embeddings'),
        loss('head', 'embeddings', { weight: share }),
        backward(),
      ]),
      ...finish,
    ],
    order: order('p-k'),
    copies: [],
  }
}
