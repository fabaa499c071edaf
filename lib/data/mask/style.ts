/**
 * What a style of mask is: how it stands off the face and how its cloth is drawn, flat, as SVG in millimetres: x from
 * the middle to ±{@link HALF_WIDTH} at the sides and on to ±{@link EAR} at the ears, y from the upper edge to {@link HEIGHT}.
 * @module
 */
import type { Draw } from '../synthetic/draw.js'
import type { Fullness } from './worn-surface.js'

export const HALF_WIDTH = 85
export const EAR = 127.5
export const HEIGHT = 110

export interface MaskStyle {
  readonly name: string
  readonly summary: string
  readonly fullness: Fullness
  /** SVG elements; what is not drawn stays skin. */
  draw(draw: Draw): string
}
