/**
 * What differs between images of one person: pose, expression, light, camera, surroundings.
 * @module
 */
import type { Color } from './color.js'
import { Draw } from './draw.js'
import type { Pose } from './pose.js'

/** Edge of an image in pixels: that of aligned faces. */
export const SIZE = 112

export interface Scene {
  readonly pose: Pose
  /** Each 0 is neutral. */
  readonly expression: { readonly smile: number; readonly open: number; readonly blink: number; readonly brows: number; readonly gaze: number }
  /** From where the light comes (radians), how much it models the face, brightness of the whole, warmth. */
  readonly light: { readonly angle: number; readonly strength: number; readonly gain: number; readonly warmth: number }
  readonly camera: { readonly blur: number; readonly noise: number; readonly quality: number; readonly gray: boolean }
  readonly background: readonly [Color, Color]
  readonly clothes: Color
  /** Whether a person who has glasses wears them. */
  readonly glasses: boolean
  readonly seed: number
}

/** Image `image` of identity `number`. */
export function drawScene(seed: number, number: number, image: number): Scene {
  const draw = new Draw(seed, number, 2, image)
  const anyColor = (): Color => [draw.between(20, 235), draw.between(20, 235), draw.between(20, 235)]
  return {
    pose: {
      yaw: draw.around(0, 0.22),
      pitch: draw.around(0, 0.1),
      roll: draw.around(0, 0.05),
      scale: draw.around(39, 1.4),
      centre: [draw.around(SIZE / 2, 1.6), draw.around(47, 1.6)],
    },
    expression: {
      smile: draw.between(-0.4, 1),
      open: Math.max(0, draw.between(-0.6, 0.8)),
      blink: Math.max(0, draw.between(-0.6, 0.6)),
      brows: draw.around(0, 0.5),
      gaze: draw.around(0, 0.5),
    },
    light: { angle: draw.between(0, 2 * Math.PI), strength: draw.between(0.1, 0.6), gain: draw.around(1, 0.13), warmth: draw.around(0, 0.06) },
    camera: {
      blur: draw.chance(0.4) ? draw.between(0.4, 1.1) : 0,
      noise: draw.between(1, 9),
      quality: Math.round(draw.between(60, 95)),
      gray: draw.chance(0.06),
    },
    background: [anyColor(), anyColor()],
    clothes: anyColor(),
    glasses: draw.chance(0.85),
    seed: draw.below(2 ** 31),
  }
}
