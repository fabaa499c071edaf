/**
 * Semi-siamese epochs: every identity once, as a pair of two of its images (Du et al., "Semi-siamese training for
 * shallow face learning", ECCV 2020). An identity with one image is paired with itself; augmentation tells the two
 * apart.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../../errors.js'
import { Random } from '../random.js'
import { range, SamplesByClass } from './classes.js'
import { defineSampler, refuseWeights } from './sampler.js'

export const pairs = defineSampler({
  name: 'pairs',
  summary: 'one pair of images of every identity an epoch, for semi-siamese training',
  schema: z.strictObject({
    exclude_recent: z
      .int()
      .min(0)
      .default(0)
      .describe('leave out, for an epoch, the identities of the last so many samples of the epoch before: FaceX-Zoo does so with its queue size (16384)'),
  }),
  create(config, context) {
    const { classCount, batchSize, seed } = context
    refuseWeights('pairs', context)
    const byClass = new SamplesByClass(context.labels, classCount)
    if (config.exclude_recent > 0 && config.exclude_recent > classCount - batchSize) {
      const text = `data.sampler.exclude_recent: expected at most ${Math.max(0, classCount - batchSize)} (${classCount} identities less one batch), received ${config.exclude_recent}`
      throw new FacexError('ERR_CONFIG', text)
    }
    let latest: { epoch: number; identities: Uint32Array } | undefined

    /** The identities of an epoch in order. With exclusion they depend on the epoch before, and so back to the first. */
    function identities(epoch: number): Uint32Array {
      if (config.exclude_recent === 0) return new Random(seed, epoch).shuffle(range(classCount))
      let from = latest !== undefined && latest.epoch <= epoch ? latest : { epoch: 0, identities: new Random(seed, 0).shuffle(range(classCount)) }
      while (from.epoch < epoch) {
        const trained = from.identities.subarray(0, from.identities.length - (from.identities.length % batchSize))
        const recent = new Set(trained.subarray(Math.max(0, trained.length - config.exclude_recent)))
        const next = range(classCount).filter((identity) => !recent.has(identity))
        from = { epoch: from.epoch + 1, identities: new Random(seed, from.epoch + 1).shuffle(next) }
      }
      latest = from
      return from.identities
    }

    return {
      views: 2,
      order(epoch) {
        const chosen = identities(epoch)
        const random = new Random(seed, epoch, 1)
        const order = new Uint32Array(chosen.length * 2)
        chosen.forEach((identity, i) => {
          const images = byClass.of(identity)
          const first = random.below(images.length)
          // Any other image: one of the rest, counted from the one behind the first.
          const second = images.length === 1 ? first : (first + 1 + random.below(images.length - 1)) % images.length
          order[2 * i] = images[first]!
          order[2 * i + 1] = images[second]!
        })
        return order
      },
    }
  },
})
