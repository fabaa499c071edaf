/**
 * Eyes, brows, nose, mouth, marks and glasses.
 * @module
 */
import { mixed, shaded, type Color } from './color.js'
import type { Identity } from './identity.js'
import { smooth, type Point, type Projection } from './pose.js'
import type { Scene } from './scene.js'
import { ellipse, path } from './svg.js'

const DARK: Color = [30, 20, 18]

export function eyes({ eyes, skin }: Identity, { expression }: Scene, at: Projection): string {
  const height = eyes.height * (1 - 0.75 * expression.blink) * (1 - 0.2 * Math.max(0, expression.smile))
  return [-1, 1]
    .map((side) => {
      const point = (x: number, y: number) => at.surface([side * (eyes.apart + x), y - eyes.tilt * (x / eyes.width)])
      const upper = [point(-eyes.width, 0.02), point(-0.5 * eyes.width, -0.75 * height), point(0.1 * eyes.width, -height), point(0.7 * eyes.width, -0.6 * height), point(eyes.width, 0)]
      const lower = [point(0.5 * eyes.width, 0.6 * height), point(-0.3 * eyes.width, 0.65 * height)]
      const id = side < 0 ? 'eye-left' : 'eye-right'
      const outline = smooth([...upper, ...lower], true)
      const iris = at.surface([side * eyes.apart + 0.06 * expression.gaze, 0])
      const crease = [point(-0.8 * eyes.width, -0.9 * height), point(0.1 * eyes.width, -1.6 * height - 0.03), point(0.95 * eyes.width, -0.7 * height)]
      return [
        ellipse(at.surface([side * eyes.apart, -0.03]), at.size(0.3), at.size(0.18), { fill: shaded(skin, 0.72), opacity: 0.45, soft: 2 }),
        `<clipPath id="${id}"><path d="${outline}"/></clipPath>`,
        path(outline, { fill: [240, 236, 230] }),
        ellipse(iris, at.size(0.105), at.size(0.105), { fill: eyes.iris, clip: id }),
        ellipse(iris, at.size(0.048), at.size(0.048), { fill: [12, 10, 10], clip: id }),
        ellipse([iris[0] + 1, iris[1] - 1.2], 0.7, 0.7, { fill: [255, 255, 255], opacity: 0.9, clip: id }),
        path(smooth(upper, false), { stroke: DARK, width: at.size(0.045), opacity: 0.85 }),
        path(smooth(crease, false), { stroke: shaded(skin, 0.55), width: at.size(0.025), opacity: 0.3 + 0.6 * eyes.lid }),
      ].join('')
    })
    .join('')
}

export function brows({ brows, eyes }: Identity, { expression }: Scene, at: Projection): string {
  const lift = 0.06 * expression.brows
  return [-1, 1]
    .map((side) => {
      const point = (x: number, y: number) => at.surface([side * (eyes.apart + x), -brows.height - lift + y + brows.tilt * (x / brows.length)], 0.05)
      const l = brows.length
      const upper = [point(-l, 0.02), point(-0.3 * l, -0.6 * brows.arch), point(0.35 * l, -brows.arch), point(1.05 * l, 0.06)]
      const lower = [point(0.35 * l, brows.thickness - brows.arch), point(-0.3 * l, brows.thickness - 0.6 * brows.arch), point(-0.98 * l, brows.thickness + 0.02)]
      return path(smooth([...upper, ...lower], true), { fill: brows.color, opacity: 0.92 })
    })
    .join('')
}

export function nose({ nose, skin }: Identity, { light }: Scene, at: Projection): string {
  const shade = shaded(skin, 0.62)
  const away = Math.cos(light.angle) > 0 ? -1 : 1
  const ridge = (side: number): Point[] => [[side * nose.bridge, 0.02], [side * nose.bridge * 0.8, 0.3], [side * nose.tip, nose.length - 0.12]]
  const wing = (side: number): Point[] => [[side * nose.width * 0.8, nose.length - 0.15], [side * nose.width, nose.length - 0.02], [side * nose.width * 0.6, nose.length + 0.05]]
  const lifted = (points: Point[], lift: number) => smooth(points.map((point) => at.surface(point, lift)), false)
  return [
    path(lifted(ridge(away), 0.15), { stroke: shade, width: at.size(0.1), opacity: 0.5, soft: 1 }),
    ellipse(at.surface([0, nose.length - 0.1], 0.3), at.size(nose.tip), at.size(0.09), { fill: shaded(skin, 1.18), opacity: 0.6, soft: 1 }),
    ...[-1, 1].map((side) => path(lifted(wing(side), 0.12), { stroke: shade, width: at.size(0.045), opacity: 0.9 })),
    ...[-1, 1].map((side) => ellipse(at.surface([side * nose.width * 0.48, nose.length + 0.03], 0.2), at.size(0.06), at.size(0.03), { fill: shaded(skin, 0.3), opacity: 0.85 })),
    path(lifted([[-nose.width * 0.5, nose.length + 0.09], [0, nose.length + 0.12], [nose.width * 0.5, nose.length + 0.09]], 0.18), { stroke: shade, width: at.size(0.03), opacity: 0.6 }),
  ].join('')
}

export function mouth({ mouth, skin }: Identity, { expression }: Scene, at: Projection): string {
  const width = mouth.width * (1 + 0.22 * Math.max(0, expression.smile))
  const corner = mouth.height - 0.1 * expression.smile
  const gap = 0.16 * expression.open
  const line = (points: readonly Point[], closed: boolean) => smooth(points.map((point) => at.surface(point, 0.05)), closed)
  const h = mouth.height
  const upperEdge: Point[] = [[-width, corner], [-0.5 * width, h - 0.8 * mouth.upper], [-0.14 * width, h - mouth.upper - 0.02], [0, h - mouth.upper], [0.14 * width, h - mouth.upper - 0.02], [0.5 * width, h - 0.8 * mouth.upper], [width, corner]]
  const lowerEdge: Point[] = [[0.55 * width, h + 0.75 * mouth.lower + 0.9 * gap], [0, h + mouth.lower + gap], [-0.55 * width, h + 0.75 * mouth.lower + 0.9 * gap]]
  const inside: Point[] = [[-0.9 * width, corner], [-0.4 * width, h], [0, h + 0.01], [0.4 * width, h], [0.9 * width, corner], [0.45 * width, h + gap], [0, h + 1.05 * gap], [-0.45 * width, h + gap]]
  const parts = [
    path(line([...upperEdge, ...lowerEdge], true), { fill: mouth.color }),
    ellipse(at.surface([0, h + 0.6 * mouth.lower + gap], 0.05), at.size(0.5 * width), at.size(0.03), { fill: mixed(mouth.color, [255, 255, 255], 0.4), opacity: 0.5, soft: 1 }),
    path(line(inside, true), { fill: [64, 20, 22], stroke: shaded(mouth.color, 0.45), width: at.size(0.03) }),
  ]
  if (gap > 0.03) {
    parts.push(path(line([[-0.6 * width, h + 0.01], [0, h + 0.015], [0.6 * width, h + 0.01], [0.4 * width, h + 0.4 * gap], [0, h + 0.5 * gap], [-0.4 * width, h + 0.4 * gap]], true), { fill: [238, 234, 224] }))
  }
  const under: Point[] = [[-0.5 * width, h + mouth.lower + gap + 0.07], [0, h + mouth.lower + gap + 0.1], [0.5 * width, h + mouth.lower + gap + 0.07]]
  parts.push(path(line(under, false), { stroke: shaded(skin, 0.65), width: at.size(0.06), opacity: 0.4, soft: 1 }))
  return parts.join('')
}

/** Folds that come with age and smiling, and marks of the skin. */
export function skinDetails(identity: Identity, { expression }: Scene, at: Projection): string {
  const { nose, mouth, skin, age, marks } = identity
  const depth = 0.6 * age + 0.35 * Math.max(0, expression.smile)
  const fold = (side: number): Point[] => [[side * (nose.width + 0.08), nose.length - 0.05], [side * (mouth.width + 0.1), 0.5 * (nose.length + mouth.height)], [side * (mouth.width + 0.13), mouth.height]]
  const line = (points: Point[], opacity: number) => path(smooth(points.map((point) => at.surface(point)), false), { stroke: shaded(skin, 0.6), width: at.size(0.035), opacity })
  const forehead = age > 0.65 ? [-0.62, -0.74].map((y) => line([[-0.45, y], [0, y - 0.03], [0.45, y]], 0.6 * age - 0.2)) : []
  return [
    ...[-1, 1].map((side) => line(fold(side), 0.55 * depth)),
    ...[-1, 1].map((side) => ellipse(at.surface([side * 0.55, 0.55]), at.size(0.24), at.size(0.18), { fill: [214, 92, 84], opacity: 0.13, soft: 4 })),
    ...forehead,
    ...marks.map((mark) => ellipse(at.surface(mark.at), at.size(mark.radius), at.size(mark.radius), { fill: mark.color, opacity: 0.85 })),
  ].join('')
}

export function glasses({ glasses, eyes, face }: Identity, scene: Scene, at: Projection): string {
  if (glasses === undefined || !scene.glasses) return ''
  const paint = { stroke: glasses.color, width: at.size(glasses.line) }
  const lens = (side: number) => {
    // A superellipse: round frames have exponent 2, square ones a larger one.
    const exponent = 2 / (2 + 4 * (1 - glasses.roundness))
    const power = (value: number) => Math.sign(value) * Math.abs(value) ** exponent
    const points = Array.from({ length: 16 }, (_, i): Point => {
      const angle = (i / 16) * 2 * Math.PI
      return at.surface([side * eyes.apart + glasses.width * power(Math.cos(angle)), 0.03 + glasses.height * power(Math.sin(angle))], 0.12)
    })
    return path(smooth(points, true), { ...paint, fill: 'rgba(255,255,255,0.12)' })
  }
  const inner = eyes.apart - glasses.width
  const bridgePoints: Point[] = [[-inner, -0.03], [0, -0.08], [inner, -0.03]]
  const bridge = bridgePoints.map((point) => at.surface(point, 0.14))
  const temples = [-1, 1].map((side) => path(smooth([at.surface([side * (eyes.apart + glasses.width), 0], 0.1), at.outline([side * face.width, -0.02])], false), paint))
  return lens(-1) + lens(1) + path(smooth(bridge, false), paint) + temples.join('')
}
