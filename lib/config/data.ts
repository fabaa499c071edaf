/**
 * Configuration of the training data: sources, pixels, augmentation, order.
 * @module
 */
import { z } from 'zod'

import { object } from './check.js'

const common = {
  weight: z.number().positive().default(1).describe('share of this source in an epoch when several are mixed (sampler shuffle)'),
}

const listSource = object({
  kind: z.literal('list').describe('a text file with "path label" lines, as FaceX-Zoo writes them'),
  root: z.string().min(1).describe('folder that the paths in the list start from'),
  list: z.string().min(1).describe('the text file'),
  ...common,
})

const folderSource = object({
  kind: z.literal('folder').describe('one folder a class; labels follow the sorted folder names'),
  root: z.string().min(1).describe('folder that holds the class folders'),
  ...common,
})

const recordSource = object({
  kind: z.literal('record').describe("RecordIO as insightface's sets use it: train.rec, with train.idx beside it"),
  file: z.string().min(1).describe('the .rec file'),
  ...common,
})

const syntheticSource = object({
  kind: z.literal('synthetic').describe('faces drawn by a program, written once to root; no real people'),
  root: z.string().min(1).describe('folder that receives the images, train.txt and the held-out pairs.txt'),
  identities: z.int().min(2).default(60).describe('identities to train on'),
  images: z.int().min(2).default(30).describe('images of each identity'),
  held_out: z.int().min(2).default(20).describe('further identities for evaluation pairs only'),
  seed: z.int().min(0).default(0).describe('seed of the drawings'),
  ...common,
})

export const sourceSchema = z.discriminatedUnion('kind', [listSource, folderSource, recordSource, syntheticSource])

const augmentation = z
  .looseObject({
    name: z.string().min(1).describe('name of the augmentation'),
    probability: z.number().min(0).max(1).optional().describe('chance of being applied to an image'),
  })
  .describe('one augmentation; further keys are its own options')

export const pixelsSchema = object({
  color: z.enum(['bgr', 'rgb']).default('bgr').describe('order of the colour channels that the network sees'),
  mean: z.number().default(127.5).describe('subtracted from every 8-bit value'),
  std: z.number().positive().default(128).describe('divides the result: (pixel - mean) / std'),
  crop: z.enum(['full', 'upper_half']).default('full').describe('part of the aligned face: all, or the rows above the mouth (masked faces)'),
  alignment: z.string().min(1).default('arcface').describe('landmark template that the images were aligned to, for the checkpoint; arcface is that of facex align and the published 112 x 112 sets'),
})

export const dataSchema = object({
  train: z.array(sourceSchema).min(1).describe('training sources; labels of later ones continue after those of earlier ones'),
  ...pixelsSchema.shape,
  augment: z
    .union([z.enum(['flip', 'none', 'facex_zoo']), z.array(augmentation)])
    .default('flip')
    .describe('"flip", "none", FaceX-Zoo\'s semi-siamese pipeline, or a list'),
  sampler: z
    .looseObject({ name: z.string().min(1).describe('name of the sampler') })
    .optional()
    .describe('order of an epoch; the mode brings its own when this is left out'),
  threads: z.int().min(1).optional().describe('threads that decode; left out: as many as keep up without disturbing training'),
  prefetch: z.int().min(1).default(4).describe('batches decoded ahead'),
  on_bad_image: z.enum(['fail', 'skip']).default('fail').describe('an image that does not decode: stop, or use the next good one, counted and reported'),
})
