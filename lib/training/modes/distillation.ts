/**
 * Knowledge distillation: the network learns identities with its head and, beside that, to give the embeddings of a
 * trained teacher (Hinton et al., arXiv:1503.02531, with embeddings in the place of logits).
 *
 * The teacher is always in evaluation mode: running statistics, no dropout, no gradient.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../../errors.js'
import type { HeadPieces } from '../../heads/index.js'
import { embeddingSize } from '../../model/build.js'
import { accumulate, backward, batch, forward, loss } from '../program.js'
import { defineMode } from './mode.js'

const TEACHER = { gradient: false, batchStatistics: false, stochastic: false } as const

export const distillation = defineMode({
  name: 'distillation',
  summary: 'classification, and the embeddings of a trained teacher as the aim',
  options: {
    teacher: z.string().min(1).describe('checkpoint of the teacher'),
    distance: z.enum(['cosine', 'l2']).default('cosine').describe('between the embeddings: 1 - cos, or the mean squared difference of their elements'),
    weight: z.number().positive().default(1).describe('factor on that distance in the loss'),
    head_weight: z.number().min(0).default(1).describe('factor on the loss of the head; 0 learns from the teacher alone'),
  },
  async create({ teacher: file, distance, weight, head_weight: headWeight }, context) {
    const { accumulate: micro, finish, graph, head } = context
    const teacher = await context.loadNetwork(file)
    const size = embeddingSize(teacher.graph)
    if (size !== head.featDim) {
      throw new FacexError('ERR_CONFIG', `mode distillation: expected embeddings of one length, ${file} gives ${size} and the backbone ${head.featDim}; set feat_dim of the backbone`)
    }
    const imitation: HeadPieces = { name: 'Distillation', featDim: size, numClass: 1, values: {}, choices: { distance } }
    return {
      networks: { backbone: graph, teacher: teacher.graph },
      heads: { imitation, ...(headWeight === 0 ? {} : { head }) },
      program: [
        ...accumulate(micro, (share) => [
          batch(['images']),
          forward('teacher', 'images', 'wanted', TEACHER),
          forward('backbone', 'images', 'embeddings'),
          loss('imitation', 'embeddings', { name: 'distance', weight: share * weight, gallery: 'wanted' }),
          ...(headWeight === 0 ? [] : [loss('head', 'embeddings', { weight: share * headWeight })]),
          backward(),
        ]),
        ...finish,
      ],
      order: context.order('shuffle'),
      copies: [],
      weights: { teacher: teacher.tensors },
    }
  },
})
