/**
 * Every sample once an epoch in random order; mixed sources take part by their weight.
 * @module
 */
import { z } from 'zod'

import { Random } from '../random.js'
import { defineSampler, type SamplerContext } from './sampler.js'

export const shuffle = defineSampler({
  name: 'shuffle',
  summary: 'every sample once an epoch, in random order',
  schema: z.strictObject({}),
  create(_config, context) {
    return {
      views: 1,
      order(epoch) {
        const random = new Random(context.seed, epoch)
        return random.shuffle(drawn(context, random))
      },
    }
  },
})

/** All samples, those of a source with weight w on average w times each: whole rounds, and a random part of one more. */
function drawn(context: SamplerContext, random: Random): Uint32Array {
  const sizes = context.parts.map((part) => Math.round(part.size * part.weight))
  const order = new Uint32Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  context.parts.forEach((part, i) => {
    const round = Uint32Array.from({ length: part.size }, (_, k) => part.first + k)
    for (let left = sizes[i]!; left > 0; left -= round.length) {
      const taken = left < round.length ? random.shuffle(round).subarray(0, left) : round
      order.set(taken, at)
      at += taken.length
    }
  })
  return order
}
