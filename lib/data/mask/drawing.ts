/**
 * SVG elements that the styles share: the loops around the ears, wrinkles, seams, the fall of light on cloth.
 * @module
 */
import { css, shaded, type Color } from '../synthetic/color.js'
import type { Draw } from '../synthetic/draw.js'
import { EAR, HALF_WIDTH, HEIGHT } from './style.js'

/** Filters and gradients that the other functions refer to. */
export const DEFINITIONS = [
  // Loops vanish behind the ears and in the hair.
  `<linearGradient id="fade" gradientUnits="userSpaceOnUse" x1="${-EAR}" x2="${EAR}"><stop stop-color="#000"/><stop offset="0.07" stop-color="#fff"/><stop offset="0.93" stop-color="#fff"/><stop offset="1" stop-color="#000"/></linearGradient>`,
  `<mask id="cheeks" maskUnits="userSpaceOnUse" x="${-EAR}" y="0" width="${2 * EAR}" height="${HEIGHT}"><rect x="${-EAR}" y="0" width="${2 * EAR}" height="${HEIGHT}" fill="url(#fade)"/></mask>`,
  ...[0.8, 1.6, 3].map((blur, i) => `<filter id="soft${i}" x="-30%" y="-30%" width="160%" height="160%"><feGaussianBlur stdDeviation="${blur}"/></filter>`),
  '<linearGradient id="hollow" x2="0" y2="1"><stop stop-color="#000" stop-opacity="0.10"/><stop offset="0.18" stop-color="#000" stop-opacity="0"/>',
  '<stop offset="0.72" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.22"/></linearGradient>',
].join('')

/** Both loops, from the corners of the mask to the ears, each with its shadow on the cheek. */
export function earLoops(color: Color, width: number, corners: { readonly upper: number; readonly lower: number }): string {
  const loop = (side: number, from: number, to: number, sag: number) =>
    `M${side * (HALF_WIDTH - 4)},${from} Q${side * (HALF_WIDTH + 22)},${(from + to) / 2 + sag} ${side * EAR},${to}`
  const strands = [-1, 1]
    .flatMap((side) => [loop(side, corners.upper, 0.32 * HEIGHT, -3), loop(side, corners.lower, 0.72 * HEIGHT, 3)])
    .map((data) => stroke(data, '#000', width + 2, 0.3, 'transform="translate(0,1.6)" filter="url(#soft0)"') + stroke(data, css(shaded(color, 0.82)), width, 1) + stroke(data, css(color), width * 0.5, 1))
  return `<g mask="url(#cheeks)">${strands.join('')}</g>`
}

/** Wrinkles that run from the sides into the cloth and fade there. */
export function wrinkles(draw: Draw, count: number, strength: number): string {
  return Array.from({ length: count }, () => {
    const side = draw.chance(0.5) ? 1 : -1
    const y = draw.between(8, HEIGHT - 8)
    const reach = draw.between(18, 48)
    const drift = draw.between(-14, 14) + (HEIGHT / 2 - y) * 0.25
    const data = `M${side * (HALF_WIDTH - 3)},${y} q${-side * reach * 0.5},${drift * 0.2} ${-side * reach},${drift}`
    const width = draw.between(1.6, 4)
    return crease(data, width, strength * draw.between(0.5, 1))
  }).join('')
}

/** A fold: light above, dark below. */
export function crease(data: string, width: number, strength: number): string {
  return (
    stroke(data, '#fff', width, 0.5 * strength, `transform="translate(0,${(-width * 0.6).toFixed(2)})" filter="url(#soft1)"`) +
    stroke(data, '#000', width, strength, `transform="translate(0,${(width * 0.5).toFixed(2)})" filter="url(#soft1)"`)
  )
}

/** A line of stitches. */
export function seam(data: string, strength = 0.3): string {
  return stroke(data, '#000', 0.8, strength, 'stroke-dasharray="2.2 1.2"') + stroke(data, '#fff', 0.6, strength * 0.6, 'transform="translate(0,0.7)" stroke-dasharray="2.2 1.2"')
}

export function stroke(data: string, color: string, width: number, opacity: number, more = ''): string {
  return `<path d="${data}" fill="none" stroke="${color}" stroke-width="${width.toFixed(2)}" stroke-linecap="butt" opacity="${opacity.toFixed(3)}" ${more}/>`
}

export function fill(data: string, paint: string, opacity = 1, more = ''): string {
  return `<path d="${data}" fill="${paint}" opacity="${opacity}" ${more}/>`
}
