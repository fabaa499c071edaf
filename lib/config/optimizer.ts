/**
 * Configuration of the optimizer and of the learning rate over the run.
 * @module
 */
import { z } from 'zod'

import { object } from './check.js'

const part = object({
  lr_multiplier: z.number().min(0).default(1).describe('factor on the learning rate'),
  weight_decay: z.number().min(0).optional().describe('instead of the common weight_decay'),
  clip_norm: z.number().positive().optional().describe('largest norm of the gradient of this part alone'),
}).prefault({})

const common = {
  lr: z.number().positive().default(0.1).describe('learning rate at the top of the schedule'),
  clip_norm: z.number().positive().optional().describe('largest norm of the whole gradient'),
  no_decay: z
    .union([z.enum(['none', 'norm_and_bias']), z.array(z.string().min(1))])
    .default('none')
    .describe('parameters without weight decay: none, norm_and_bias, or a list of name patterns with * in which norm_and_bias may stand too'),
  backbone: part.describe('differences for the backbone'),
  head: part.describe('differences for the head'),
}

const sgd = object({
  name: z.literal('sgd').default('sgd').describe('stochastic gradient descent with momentum'),
  ...common,
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum, without dampening'),
  nesterov: z.boolean().default(false).describe('Nesterov momentum'),
  weight_decay: z.number().min(0).default(1e-4).describe('L2 penalty, added to the gradient'),
})

const adamw = object({
  name: z.literal('adamw').describe('Adam with decoupled weight decay'),
  ...common,
  lr: common.lr.removeDefault().default(5e-4).describe('learning rate at the top of the schedule'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of gradients'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('decay of the mean of squared gradients'),
  eps: z.number().positive().default(1e-8).describe('added to the root of the second moment'),
  weight_decay: z.number().min(0).default(0.05).describe('decoupled weight decay'),
})

export const optimizerSchema = z.discriminatedUnion('name', [sgd, adamw])

const warmup = {
  warmup_epochs: z.number().min(0).default(0).describe('epochs of linear growth at the start; fractions allowed'),
  warmup_lr: z.number().min(0).default(0).describe('learning rate that the warm-up rises from'),
}

const stepSchedule = object({
  name: z.literal('step').default('step').describe('multiplied by gamma at the start of each milestone epoch'),
  milestones: z.array(z.int().min(1)).default([]).describe('numbers of finished epochs after which the rate drops, ascending'),
  gamma: z.number().positive().max(1).default(0.1).describe('factor of each drop'),
  ...warmup,
})

const decay = {
  min_lr: z.number().min(0).default(0).describe('learning rate at the end'),
  decay_after_warmup: z
    .boolean()
    .default(true)
    .describe('count the fall from the end of the warm-up; false counts it from the first step, as timm does and the published Swin models were trained'),
  ...warmup,
}

const cosineSchedule = object({
  name: z.literal('cosine').describe('half a cosine from lr to min_lr over the run'),
  ...decay,
})

const polynomialSchedule = object({
  name: z.literal('polynomial').describe('(1 - progress) ^ power from lr to min_lr over the run'),
  power: z.number().positive().default(2).describe('exponent'),
  ...decay,
})

export const scheduleSchema = z.discriminatedUnion('name', [stepSchedule, cosineSchedule, polynomialSchedule])
