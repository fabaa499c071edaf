/**
 * Every identity equally often, whatever the number of its images; an epoch has as many samples as the data.
 * @module
 */
import { z } from 'zod'

import { Random } from '../random.js'
import { range, SamplesByClass } from './classes.js'
import { defineSampler, refuseWeights } from './sampler.js'

export const balanced = defineSampler({
  name: 'balanced',
  summary: 'every identity equally often, whatever the number of its images',
  schema: z.strictObject({}),
  create(_config, context) {
    const { labels, classCount, seed } = context
    refuseWeights('balanced', context)
    const byClass = new SamplesByClass(labels, classCount)
    return {
      views: 1,
      order(epoch) {
        const random = new Random(seed, epoch)
        const order = new Uint32Array(labels.length)
        // Round r takes image r of each class, from an offset of the epoch, so that images too take turns.
        const offsets = Uint32Array.from({ length: classCount }, (_, label) => random.below(byClass.count(label)))
        const classes = range(classCount)
        for (let at = 0, round = 0; at < order.length; round++) {
          for (const label of random.shuffle(classes).subarray(0, order.length - at)) {
            const images = byClass.of(label)
            order[at++] = images[(offsets[label]! + round) % images.length]!
          }
        }
        return order
      },
    }
  },
})
