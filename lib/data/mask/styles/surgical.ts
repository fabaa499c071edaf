/**
 * The pleated mask of thin fleece: three folds that open over the mouth, a wire over the nose, bound edges.
 * @module
 */
import { css, shaded, varied, type Color } from '../../synthetic/color.js'
import { crease, earLoops, fill, stroke, wrinkles } from '../drawing.js'
import type { MaskStyle } from '../style.js'

const COLORS: readonly Color[] = [[150, 196, 224], [150, 196, 224], [226, 232, 236], [160, 206, 194], [238, 196, 206], [52, 54, 58]]
const CLOTH = 'M-84,5 Q0,-4 84,5 L82,52 L79,105 Q0,113 -79,105 L-82,52 Z'

export const surgical: MaskStyle = {
  name: 'surgical',
  summary: 'pleated fleece, light blue, white, green, pink or black',
  fullness: { stand: 3, ridge: false },
  draw(draw) {
    const color = varied(draw.pick(COLORS), draw, 6)
    const light = color.reduce((sum, channel) => sum + channel, 0) / 3 > 110
    const strength = light ? 0.24 : 0.5
    const pleats = [30, 52, 74].map((y) => {
      const [side, middle] = [52 + (y - 52) * 0.62 + draw.between(-1, 1), y + draw.between(-2, 2)]
      const line = `M-83,${side.toFixed(1)} Q-30,${middle.toFixed(1)} 0,${middle.toFixed(1)} T83,${side.toFixed(1)}`
      return fill(`${line} L83,${(side - 7).toFixed(1)} Q0,${(middle - 12).toFixed(1)} -83,${(side - 7).toFixed(1)} Z`, '#fff', light ? 0.1 : 0.05, 'filter="url(#soft1)"') + crease(line, 1.8, strength) + stroke(line, '#000', 0.7, strength * 0.9)
    })
    return [
      earLoops(light ? [238, 238, 238] : [60, 60, 62], 3, { upper: 8, lower: 102 }),
      fill(CLOTH, css(color)),
      fill(CLOTH, 'url(#hollow)'),
      ...pleats,
      wrinkles(draw, 7, strength * 0.7),
      crease(`M-24,7 Q0,3 24,7`, 2.2, strength * 0.8),
      ...[`M-84,5 Q0,-4 84,5`, `M-79,105 Q0,113 79,105`].map((edge) => stroke(edge, css(shaded(color, 1.08)), 6, 0.9) + stroke(edge, '#000', 0.6, strength, 'transform="translate(0,3)"')),
      ...[-1, 1].map((side) => stroke(`M${side * 83},6 L${side * 81},52 L${side * 78},104`, css(shaded(color, 0.93)), 5, 0.9)),
    ].join('')
  },
}
