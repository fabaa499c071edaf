/**
 * How an aligned face becomes the numbers that a network sees. Every checkpoint says it, because weights fed with other
 * colours or another scale work badly without any error.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../errors.js'

export const preprocessingSchema = z.object({
  color: z.enum(['bgr', 'rgb']).describe('order of the colour channels'),
  mean: z.number().describe('subtracted from every 8-bit value'),
  std: z.number().positive().describe('divides the result: (pixel - mean) / std'),
  crop: z.enum(['full', 'upper_half']).describe('part of the aligned face'),
  height: z.int().min(1).describe('rows of the input'),
  width: z.int().min(1).describe('columns of the input'),
  alignment: z.string().min(1).optional().describe('landmark template of the alignment; absent where the images came aligned by unknown means'),
})

export type Preprocessing = Readonly<z.output<typeof preprocessingSchema>>

/** The part of a face that a network for images of this size is made for, where nobody says it. */
export function cropFor(height: number, width: number): Preprocessing['crop'] {
  return height < width ? 'upper_half' : 'full'
}

/** Rows of the whole face at the width of the input, of which the input may be the upper ones. */
export function rowsOfWholeFace({ crop, height, width }: Pick<Preprocessing, 'crop' | 'height' | 'width'>): number {
  return crop === 'upper_half' ? width : height
}

/** One line for messages: `rgb, (pixel - 127.5) / 128, full 112 x 112`. */
export function describePreprocessing(value: Preprocessing): string {
  const alignment = value.alignment === undefined ? '' : `, aligned to ${value.alignment}`
  return `${value.color}, (pixel - ${value.mean}) / ${value.std}, ${value.crop} ${value.height} x ${value.width}${alignment}`
}

/** The fields in which two disagree; what one of them leaves out agrees with anything. */
export function differingFields(a: Partial<Preprocessing>, b: Partial<Preprocessing>): (keyof Preprocessing)[] {
  return (Object.keys(a) as (keyof Preprocessing)[]).filter((key) => a[key] !== undefined && b[key] !== undefined && a[key] !== b[key])
}

/**
 * @param asked what the caller is about to feed
 * @param found what the weights were trained with
 * @throws FacexError ERR_CHECKPOINT that says both sides of every field that disagrees
 */
export function checkPreprocessing(asked: Partial<Preprocessing>, found: Preprocessing, file: string): void {
  const differs = differingFields(asked, found)
  if (differs.length === 0) return
  const problems = differs.map((key) => `${key}: asked for ${asked[key]}, the weights were trained with ${found[key]}`)
  const text = problems.map((problem) => `  ${problem}`).join('\n')
  throw new FacexError(
    'ERR_CHECKPOINT',
    `${file}: the weights expect ${describePreprocessing(found)}:\n${text}\nLeave these options out to use what the weights say.`,
    { problems },
  )
}
