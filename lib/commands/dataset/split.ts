/**
 * `facex dataset split`.
 * @module
 */
import { writeOutput } from '../../data/output.js'
import { splitDataset } from '../../data/tools/split.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, printResult, seedOf, type Action } from './action.js'

export const split: Action = {
  takes: ['out', 'fraction', 'per_identity', 'seed'],
  async run(sources, values) {
    const out = outOf(values)
    const { chosen, rest } = splitDataset(await openSources(sources, values), {
      fraction: values.fraction === undefined ? undefined : Number(values.fraction),
      perIdentity: wholeNumber('per_identity', values.per_identity),
      seed: seedOf(values),
    })
    const written = Object.entries({ chosen, rest }).map(([name, text]) => {
      const list = `${out}.${name}.txt`
      writeOutput(list, text)
      return { name, list, images: text.split('\n').length - 1 }
    })
    printResult(
      values,
      Object.fromEntries(written.map(({ name, ...about }) => [name, about])),
      written.map(({ list, images }) => `${list}: ${images} images`),
    )
    return 0
  },
}
