/**
 * `facex dataset preview`.
 * @module
 */
import { AUGMENTATIONS, PRESETS, resolveAugmentations, type AugmentConfig } from '../../data/augment.js'
import { writeOutput } from '../../data/output.js'
import { contactSheet } from '../../data/tools/preview.js'
import { FacexError, unknownName } from '../../errors.js'
import type { NativeAugmentation } from '../../native.js'
import { wholeNumber } from '../options.js'
import { openSources, outOf, printResult, seedOf, type Action } from './action.js'

export const preview: Action = {
  takes: ['out', 'augment', 'rows', 'size', 'seed'],
  async run(sources, values) {
    const out = outOf(values)
    const { sheet, badImages } = await contactSheet(await openSources(sources, values), {
      size: wholeNumber('size', values.size) ?? 112,
      rows: wholeNumber('rows', values.rows) ?? 8,
      columns: 8,
      augmentations: (values.augment ?? 'flip').split(',').flatMap(augmentationsCalled),
      seed: seedOf(values),
    })
    writeOutput(out, sheet)
    for (const bad of badImages) process.stderr.write(`${bad}; another image stands in its place\n`)
    printResult(values, { sheet: out, badImages }, [out])
    return 0
  },
}

/** A preset as it is, or one augmentation, which is then always applied: the sheet is there to show it. */
function augmentationsCalled(name: string): NativeAugmentation[] {
  if (Object.hasOwn(PRESETS, name)) return resolveAugmentations(name as AugmentConfig)
  const names = AUGMENTATIONS.map((row) => row.name)
  if (!names.includes(name)) throw new FacexError('ERR_USAGE', `--augment: ${unknownName('augmentation', name, [...Object.keys(PRESETS), ...names])}`)
  return resolveAugmentations([{ name, probability: 1 }])
}
