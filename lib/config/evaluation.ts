/**
 * Configuration of the evaluation during training.
 * @module
 */
import { z } from 'zod'

import { object } from './check.js'

const pairSet = object({
  name: z.string().min(1).describe('name in logs and metrics'),
  root: z.string().min(1).describe('folder that the paths in the pair list start from'),
  pairs: z.string().min(1).describe('pair list: "path path 0/1" lines, or LFW\'s format'),
})

export const evaluationSchema = object({
  every: z.int().min(1).default(1).describe('epochs between evaluations; the last epoch is always evaluated'),
  sets: z.array(pairSet).default([]).describe('pair lists'),
  best: z.string().optional().describe('name of the list whose accuracy chooses the best checkpoint; the first one when left out'),
  rule: z.enum(['facex_zoo', 'insightface']).default('insightface').describe('how the threshold is chosen and whether mirrored images take part'),
  folds: z.int().min(2).optional().describe('folds of lists that do not say how many they have'),
  batch_size: z.int().min(1).default(64).describe('images in one inference batch'),
})
