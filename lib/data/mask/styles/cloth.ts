/**
 * Sewn masks: two panels that meet in a seam down the middle, one colour or printed.
 * @module
 */
import { css, shaded, varied, type Color } from '../../synthetic/color.js'
import type { Draw } from '../../synthetic/draw.js'
import { crease, earLoops, fill, seam, stroke, wrinkles } from '../drawing.js'
import type { MaskStyle } from '../style.js'

const COLORS: readonly Color[] = [[38, 39, 43], [38, 39, 43], [44, 58, 96], [126, 130, 136], [222, 218, 208], [124, 44, 50], [92, 102, 74], [196, 172, 140], [70, 96, 128]]
const PRINTS: readonly (readonly [Color, Color])[] = [
  [[238, 236, 228], [180, 60, 70]], [[42, 52, 92], [232, 232, 238]], [[214, 164, 174], [250, 246, 240]], [[60, 92, 84], [226, 214, 170]],
  [[34, 34, 38], [200, 170, 90]], [[190, 212, 226], [60, 90, 140]], [[246, 214, 120], [90, 70, 60]],
]
const CLOTH = 'M-84,14 C-60,6 -30,3 0,1 C30,3 60,6 84,14 L81,92 C60,103 30,108 0,110 C-30,108 -60,103 -81,92 Z'

/** The cut of the mask over a fill that is drawn in already. */
function sewn(draw: Draw, paint: string, trim: Color, dark: boolean): string {
  const strength = dark ? 0.45 : 0.26
  return [
    earLoops(trim, 4, { upper: 20, lower: 88 }),
    fill(CLOTH, paint),
    fill(CLOTH, 'url(#hollow)'),
    ...[-1, 1].map((side) => crease(`M${side * 14},12 Q${side * 26},34 ${side * 44},52`, 4, strength * draw.between(0.2, 0.6))),
    wrinkles(draw, 9, strength),
    stroke('M0,2 Q2,55 0,109', '#000', 2.4, strength * 0.7, 'filter="url(#soft0)"'),
    stroke('M-2,2 Q0,55 -2,109', '#fff', 1.6, strength * 0.5, 'filter="url(#soft0)"'),
    seam('M-81,18 C-58,10 -30,7 0,5 C30,7 58,10 81,18', strength),
    seam('M-78,89 C-58,99 -30,104 0,106 C30,104 58,99 78,89', strength),
  ].join('')
}

export const cloth: MaskStyle = {
  name: 'cloth',
  summary: 'sewn cloth of one colour with a seam in the middle',
  fullness: { stand: 4, ridge: true },
  draw(draw) {
    const color = varied(draw.pick(COLORS), draw, 8)
    return sewn(draw, css(color), shaded(color, 0.9), color[0] + color[1] + color[2] < 300)
  },
}

export const patterned: MaskStyle = {
  name: 'patterned',
  summary: 'sewn cloth with dots, stripes, checks or leaves',
  fullness: { stand: 4, ridge: true },
  draw(draw) {
    const [base, print] = draw.pick(PRINTS)
    const size = draw.between(7, 14)
    const turn = draw.between(-12, 12)
    const tile = draw.pick([dots, stripes, checks, leaves])(size, css(print))
    const pattern = `<pattern id="print" width="${size}" height="${size}" patternUnits="userSpaceOnUse" patternTransform="rotate(${turn.toFixed(1)})"><rect width="${size}" height="${size}" fill="${css(base)}"/>${tile}</pattern>`
    return `<defs>${pattern}</defs>` + sewn(draw, 'url(#print)', shaded(base, 0.9), base[0] + base[1] + base[2] < 300)
  },
}

function dots(size: number, color: string): string {
  const dot = (x: number, y: number) => `<circle cx="${x * size}" cy="${y * size}" r="${size * 0.17}" fill="${color}"/>`
  return dot(0.25, 0.25) + dot(0.75, 0.75)
}

function stripes(size: number, color: string): string {
  return `<rect width="${size}" height="${size * 0.4}" fill="${color}"/>`
}

function checks(size: number, color: string): string {
  return `<rect width="${size}" height="${size / 2}" fill="${color}" opacity="0.5"/><rect width="${size / 2}" height="${size}" fill="${color}" opacity="0.5"/>`
}

function leaves(size: number, color: string): string {
  const leaf = (x: number, y: number, turn: number) => `<ellipse cx="${x * size}" cy="${y * size}" rx="${size * 0.27}" ry="${size * 0.11}" transform="rotate(${turn} ${x * size} ${y * size})" fill="${color}"/>`
  return leaf(0.3, 0.3, 35) + leaf(0.72, 0.7, -40) + leaf(0.75, 0.22, 80)
}
