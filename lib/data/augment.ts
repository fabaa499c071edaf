/**
 * The table of augmentations: names, settings and defaults. The pixels change natively (native/data/augment_*.cc).
 * @module
 */
import { z } from 'zod'

import { FacexError, unknownName } from '../errors.js'
import type { NativeAugmentation } from '../native.js'

/** One row of the table. */
export interface AugmentationDefinition {
  readonly name: string
  readonly summary: string
  /** Settings besides `name` and `probability`; all are numbers. */
  readonly schema: z.ZodType<Record<string, number>>
  readonly probability: number
}

function define(name: string, summary: string, probability: number, settings: Record<string, z.ZodType<number>>): AugmentationDefinition {
  return { name, summary, probability, schema: z.strictObject(settings) }
}

const amount = (value: number, text: string) => z.number().min(0).max(1).default(value).describe(text)
const quality = (value: number, text: string) => z.int().min(1).max(100).default(value).describe(text)

/** Every augmentation, in the order of listings. */
export const AUGMENTATIONS: readonly AugmentationDefinition[] = [
  define('flip', 'mirrors left and right', 0.5, {}),
  define('crop', 'cuts up to margin pixels off each side and resizes the rest', 0.5, {
    margin: z.int().min(1).default(9).describe('each side loses 0 to margin pixels'),
  }),
  define('rotate', 'turns about the centre by whole degrees, border black', 0.5, {
    degrees: z.int().min(1).max(180).default(10).describe('largest angle to either side'),
  }),
  define('rotate_corner', "FaceX-Zoo's rotation about the upper left corner, which moves the face too", 0.5, {
    degrees: z.int().min(1).max(180).default(10).describe('largest angle to either side'),
  }),
  define('grey', 'all channels become the grey value', 0.2, {}),
  define('grey_blue', "FaceX-Zoo's grey: the blue channel only becomes the grey value", 0.2, {}),
  define('color_jitter', 'changes brightness, contrast and saturation', 0.5, {
    brightness: amount(0.2, 'largest relative change'),
    contrast: amount(0.2, 'largest relative change'),
    saturation: amount(0.2, 'largest relative change'),
  }),
  define('blur', 'Gaussian blur', 0.1, { sigma: z.number().positive().max(20).default(1.5).describe('largest standard deviation in pixels') }),
  define('jpeg', 'compresses as JPEG and decodes again', 0.1, {
    min_quality: quality(30, 'lowest quality'),
    max_quality: quality(90, 'highest quality'),
  }),
  define('downscale', 'makes the image smaller and large again', 0.1, {
    min_scale: z.number().gt(0).lt(1).default(0.3).describe('smallest scale'),
  }),
  define('erase', 'covers a rectangle with noise', 0.2, {
    min_area: amount(0.02, 'smallest share of the image'),
    max_area: amount(0.2, 'largest share of the image'),
  }),
]

/** What `data.augment` may be. */
export type AugmentConfig = 'none' | 'flip' | 'facex_zoo' | readonly { readonly name: string; readonly probability?: number; readonly [setting: string]: unknown }[]

/** Short names for usual lists. `facex_zoo` is its semi-siamese pipeline with the probabilities and order it has there. */
export const PRESETS: Readonly<Record<string, AugmentConfig>> = {
  none: [],
  flip: [{ name: 'flip' }],
  facex_zoo: [{ name: 'crop' }, { name: 'flip' }, { name: 'grey_blue' }, { name: 'rotate_corner' }],
}

/**
 * The native form of a configured list, defaults filled in.
 * @throws FacexError ERR_CONFIG with the path of what is wrong
 */
export function resolveAugmentations(config: AugmentConfig): NativeAugmentation[] {
  if (typeof config === 'string') {
    const preset = PRESETS[config]
    if (preset === undefined) throw new FacexError('ERR_CONFIG', `data.augment: ${unknownName('preset', config, Object.keys(PRESETS))}`)
    return resolveAugmentations(preset)
  }
  return config.map(({ name, probability, ...settings }, i) => {
    const where = `data.augment[${i}]`
    const definition = AUGMENTATIONS.find((row) => row.name === name)
    if (definition === undefined) {
      throw new FacexError('ERR_CONFIG', `${where}.name: ${unknownName('augmentation', name, AUGMENTATIONS.map((row) => row.name))}`)
    }
    const values = definition.schema.safeParse(settings)
    if (!values.success) {
      const problems = values.error.issues.map((issue) => `${where}${issue.path.map((key) => `.${String(key)}`).join('')}: ${issue.message}`)
      throw new FacexError('ERR_CONFIG', problems.join('\n'), { problems })
    }
    checkRange(where, values.data, 'quality')
    checkRange(where, values.data, 'area')
    return { name, probability: probability ?? definition.probability, values: values.data }
  })
}

function checkRange(where: string, values: Record<string, number>, what: string): void {
  const low = values[`min_${what}`]
  const high = values[`max_${what}`]
  if (low === undefined || high === undefined || low <= high) return
  throw new FacexError('ERR_CONFIG', `${where}.min_${what}: expected at most max_${what} (${high}), received ${low}`)
}
