/**
 * The folded respirator (FFP2, KN95): a stiff cup with a ridge down the middle and welded edges.
 * @module
 */
import { css, shaded, varied, type Color } from '../../synthetic/color.js'
import { crease, earLoops, fill, stroke, wrinkles } from '../drawing.js'
import type { MaskStyle } from '../style.js'

const COLORS: readonly Color[] = [[240, 240, 238], [240, 240, 238], [232, 236, 240], [46, 47, 50], [170, 178, 188]]
const CLOTH = 'M-83,26 C-60,14 -28,4 0,0 C28,4 60,14 83,26 L80,84 C58,100 28,108 0,110 C-28,108 -58,100 -80,84 Z'

export const respirator: MaskStyle = {
  name: 'respirator',
  summary: 'stiff folded respirator with a ridge in the middle, white, grey or black',
  fullness: { stand: 13, ridge: true },
  draw(draw) {
    const color = varied(draw.pick(COLORS), draw, 4)
    const strength = color[0] > 110 ? 0.2 : 0.45
    const edge = 'M-79,30 C-58,19 -28,9 0,5 C28,9 58,19 79,30 L77,81 C56,95 28,103 0,105 C-28,103 -56,95 -77,81 Z'
    return [
      earLoops(shaded(color, 1), 4, { upper: 32, lower: 80 }),
      fill(CLOTH, css(color)),
      fill(CLOTH, 'url(#hollow)'),
      stroke(edge, '#000', 0.8, strength * 1.2),
      stroke(edge, '#000', 1.2, strength, 'stroke-dasharray="0.8 1.6"'),
      stroke('M0,1 L0,109', '#000', 1.2, strength * 0.9),
      stroke('M2,2 L2,108', '#fff', 1.6, strength, 'filter="url(#soft0)"'),
      crease('M-30,11 Q0,2 30,11', 3, strength),
      wrinkles(draw, 3, strength * 0.6),
    ].join('')
  },
}
