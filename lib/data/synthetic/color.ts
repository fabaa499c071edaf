/**
 * Colours as red, green, blue from 0 to 255.
 * @module
 */
import type { Draw } from './draw.js'

export type Color = readonly [number, number, number]

export const SKINS: readonly Color[] = [[246, 216, 194], [236, 196, 166], [222, 176, 140], [202, 150, 112], [172, 120, 84], [138, 92, 62], [104, 68, 48], [240, 204, 160]]
export const HAIRS: readonly Color[] = [[28, 24, 24], [58, 40, 30], [92, 62, 40], [134, 92, 52], [186, 142, 82], [222, 192, 130], [142, 62, 34], [150, 148, 148], [214, 212, 208]]
export const IRISES: readonly Color[] = [[70, 44, 26], [98, 66, 36], [104, 116, 60], [76, 122, 142], [112, 132, 150], [44, 32, 26]]
export const FRAMES: readonly Color[] = [[24, 24, 28], [92, 52, 30], [140, 30, 40], [60, 70, 110], [170, 150, 90]]

/** Another colour close by. */
export function varied(color: Color, draw: Draw, deviation: number): Color {
  const together = draw.around(0, deviation)
  return color.map((channel) => clamp(channel + together + draw.around(0, deviation / 2))) as unknown as Color
}

/** Darker below 1, lighter above. */
export function shaded(color: Color, factor: number): Color {
  return color.map((channel) => clamp(channel * factor)) as unknown as Color
}

export function mixed(a: Color, b: Color, share: number): Color {
  return a.map((channel, i) => channel + (b[i]! - channel) * share) as unknown as Color
}

export function css(color: Color): string {
  return `rgb(${color.map(Math.round).join(',')})`
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value))
}
