/**
 * What makes a drawn person: everything that stays the same in all of their images. Lengths are head units, see
 * {@link Projection}.
 * @module
 */
import { FRAMES, HAIRS, IRISES, SKINS, mixed, shaded, varied, type Color } from './color.js'
import { Draw } from './draw.js'
import type { Point } from './pose.js'

export const HAIR_STYLES = ['bald', 'short', 'parted', 'fringe', 'long', 'curly'] as const
export const BEARDS = ['none', 'none', 'none', 'stubble', 'moustache', 'full', 'goatee'] as const

export interface Identity {
  readonly skin: Color
  readonly face: { readonly width: number; readonly cheek: number; readonly jaw: number; readonly chin: number; readonly length: number; readonly ears: number }
  readonly eyes: { readonly apart: number; readonly width: number; readonly height: number; readonly tilt: number; readonly iris: Color; readonly lid: number }
  readonly brows: { readonly height: number; readonly thickness: number; readonly arch: number; readonly tilt: number; readonly length: number; readonly color: Color }
  readonly nose: { readonly length: number; readonly width: number; readonly bridge: number; readonly tip: number }
  readonly mouth: { readonly height: number; readonly width: number; readonly upper: number; readonly lower: number; readonly color: Color }
  readonly hair: { readonly style: (typeof HAIR_STYLES)[number]; readonly color: Color; readonly line: number; readonly volume: number; readonly side: number }
  readonly beard: (typeof BEARDS)[number]
  readonly age: number
  readonly marks: readonly { readonly at: Point; readonly radius: number; readonly color: Color }[]
  readonly glasses: { readonly color: Color; readonly width: number; readonly height: number; readonly roundness: number; readonly line: number } | undefined
}

/** Identity `number` of the world called `seed`; the same numbers give the same person. */
export function drawIdentity(seed: number, number: number): Identity {
  const draw = new Draw(seed, number, 1)
  const skin = varied(draw.pick(SKINS), draw, 8)
  const hair = varied(draw.pick(HAIRS), draw, 8)
  return {
    skin,
    face: {
      width: draw.around(0.98, 0.06),
      cheek: draw.around(0.93, 0.05),
      jaw: draw.around(0.68, 0.09),
      chin: draw.around(0.3, 0.07),
      length: draw.around(1.5, 0.08),
      ears: draw.around(0.22, 0.05),
    },
    eyes: {
      apart: draw.around(0.45, 0.035),
      width: draw.around(0.215, 0.025),
      height: draw.around(0.1, 0.02),
      tilt: draw.around(0, 0.03),
      iris: varied(draw.pick(IRISES), draw, 8),
      lid: draw.between(0, 1),
    },
    brows: {
      height: draw.around(0.33, 0.05),
      thickness: draw.around(0.075, 0.025),
      arch: draw.around(0.07, 0.04),
      tilt: draw.around(0, 0.05),
      length: draw.around(0.29, 0.035),
      color: mixed(shaded(hair, 0.75), skin, draw.between(0, 0.25)),
    },
    nose: { length: draw.around(0.62, 0.06), width: draw.around(0.2, 0.04), bridge: draw.around(0.09, 0.02), tip: draw.around(0.11, 0.03) },
    mouth: {
      height: draw.around(0.96, 0.05),
      width: draw.around(0.36, 0.05),
      upper: draw.around(0.075, 0.025),
      lower: draw.around(0.11, 0.03),
      color: mixed(shaded(skin, 0.8), [176, 60, 66], draw.between(0.2, 0.7)),
    },
    hair: { style: draw.pick(HAIR_STYLES), color: hair, line: draw.around(0.78, 0.09), volume: draw.around(0.16, 0.06), side: draw.pick([-1, 1]) },
    beard: draw.pick(BEARDS),
    age: draw.between(0, 1),
    marks: drawMarks(draw, skin),
    glasses: draw.chance(0.25)
      ? {
          color: draw.pick(FRAMES),
          width: draw.around(0.31, 0.03),
          height: draw.around(0.23, 0.035),
          roundness: draw.between(0.2, 1),
          line: draw.around(0.05, 0.015),
        }
      : undefined,
  }
}

/** Moles, and freckles for some. */
function drawMarks(draw: Draw, skin: Color): Identity['marks'] {
  const mark = (radius: number, darkness: number) => ({
    at: [draw.between(-0.75, 0.75), draw.between(-0.6, 1.2)] as Point,
    radius,
    color: shaded(skin, darkness),
  })
  const moles = Array.from({ length: draw.below(4) }, () => mark(draw.between(0.025, 0.05), 0.4))
  const freckles = draw.chance(0.15)
    ? Array.from({ length: 24 }, () => ({ ...mark(0.018, 0.75), at: [draw.between(-0.7, 0.7), draw.between(0.15, 0.6)] as Point }))
    : []
  return [...moles, ...freckles]
}
