/**
 * Batches of P identities with K images each, for losses over pairs and triplets inside the batch.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../../errors.js'
import { Random } from '../random.js'
import { range, SamplesByClass } from './classes.js'
import { defineSampler, refuseWeights } from './sampler.js'

export const pK = defineSampler({
  name: 'p-k',
  summary: 'batches of P identities with K images each; P is batch_size / K',
  schema: z.strictObject({
    k: z.int().min(2).default(4).describe('images of an identity in a batch; identities with fewer repeat some'),
    min_images: z.int().min(1).default(2).describe('identities with fewer images are left out'),
  }),
  create({ k, min_images: minImages }, context) {
    const { labels, classCount, batchSize, seed } = context
    refuseWeights('p-k', context)
    if (batchSize % k !== 0) throw new FacexError('ERR_CONFIG', `batch_size: expected a multiple of data.sampler.k (${k}), received ${batchSize}`)
    const p = batchSize / k
    const byClass = new SamplesByClass(labels, classCount)
    const usable = range(classCount).filter((label) => byClass.count(label) >= minImages)
    if (usable.length < p) {
      const text = `data.sampler: expected at least ${p} identities with ${minImages} or more images for a batch, found ${usable.length}`
      throw new FacexError('ERR_DATA', text)
    }
    const batches = Math.max(1, Math.floor(labels.length / batchSize))
    return {
      views: 1,
      order(epoch) {
        const random = new Random(seed, epoch)
        const order = new Uint32Array(batches * batchSize)
        const identities = usable.slice()
        let at = 0
        for (let batch = 0, next = identities.length; batch < batches; batch++, next += p) {
          // A new round when fewer than P are left, so that no identity is twice in a batch.
          if (next + p > identities.length) {
            random.shuffle(identities)
            next = 0
          }
          for (const identity of identities.subarray(next, next + p)) at = draw(byClass.of(identity), k, random, order, at)
        }
        return order
      },
    }
  },
})

/** K of the images, each before any is taken twice. */
function draw(images: Uint32Array, k: number, random: Random, order: Uint32Array, at: number): number {
  const shuffled = random.shuffle(images.slice())
  for (let i = 0; i < k; i++) order[at + i] = shuffled[i % shuffled.length]!
  return at + k
}
