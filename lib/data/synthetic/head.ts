/**
 * Head, ears, neck, hair and beard.
 * @module
 */
import { mixed, shaded, type Color } from './color.js'
import type { Identity } from './identity.js'
import { smooth, symmetric, type Point, type Projection } from './pose.js'
import { SIZE, type Scene } from './scene.js'
import { ellipse, path } from './svg.js'

const TOP = -1.2

/** Right half of the face from the crown to the chin. */
function rightOutline({ face }: Identity): Point[] {
  const { width, cheek, jaw, chin, length } = face
  return [[0, TOP], [0.6 * width, -1.05], [0.95 * width, -0.55], [width, 0], [cheek, 0.55], [jaw, 1.08], [chin, 0.94 * length], [0, length]]
}

export function outlinePath(identity: Identity, at: Projection): string {
  return smooth(symmetric(rightOutline(identity)).map((point) => at.outline(point)), true)
}

/** Everything behind the face. */
export function behind(identity: Identity, scene: Scene, at: Projection): string {
  const neck: Point[] = [[0.5, 0.8], [0.48, 1.7], [0.7, 2.4], [-0.7, 2.4], [-0.48, 1.7], [-0.5, 0.8]]
  const collar: Point[] = [[0.55, 1.75], [1.6, 2], [1.8, 2.6], [-1.8, 2.6], [-1.6, 2], [-0.55, 1.75], [0, 1.95]]
  const parts = [path(smooth(neck.map((point) => at.outline(point)), true), { fill: shaded(identity.skin, 0.72) })]
  parts.push(path(smooth(collar.map((point) => at.outline(point)), true), { fill: scene.clothes }))
  const back = hairBehind(identity)
  if (back !== undefined) parts.unshift(path(smooth(back.map((point) => at.outline(point)), true), { fill: shaded(identity.hair.color, 0.8) }))
  for (const side of [-1, 1]) {
    const ear = at.outline([side * identity.face.width * 1.02, 0.18])
    parts.push(ellipse(ear, at.size(0.13), at.size(identity.face.ears), { fill: shaded(identity.skin, 0.85) }))
  }
  return parts.join('')
}

function hairBehind({ hair, face }: Identity): Point[] | undefined {
  const wide = face.width + hair.volume
  switch (hair.style) {
    case 'long':
      return symmetric([[0, TOP - hair.volume], [0.75 * wide, -1.05], [1.1 * wide, -0.2], [1.15 * wide, 0.8], [1.2 * wide, 1.9], [0.8, 2], [0, 1.2]])
    case 'curly':
      return symmetric([[0, TOP - 1.6 * hair.volume], [0.8 * wide, -1.15], [1.15 * wide, -0.4], [1.15 * wide, 0.3], [0.9 * wide, 0.7], [0, 0.6]])
    default:
      return undefined
  }
}

export function skull(identity: Identity, at: Projection): string {
  return path(outlinePath(identity, at), { fill: 'url(#skin)' })
}

/** Hair in front: from the hairline to beyond the crown. */
export function hairInFront(identity: Identity, at: Projection): string {
  const { hair, face } = identity
  if (hair.style === 'bald') return ellipse(at.outline([0.2 * hair.side, -1]), at.size(0.3), at.size(0.1), { fill: [255, 255, 255], opacity: 0.18, soft: 2 })
  const wide = face.width + 0.35 * hair.volume
  const low = hair.style === 'short' ? -0.35 : hair.style === 'long' ? 0.35 : -0.05
  const crown: Point[] = [[wide, low], [1.03 * wide, -0.6], [0.68 * wide, -1.15], [0, TOP - hair.volume], [-0.68 * wide, -1.15], [-1.03 * wide, -0.6], [-wide, low]]
  const shape = [...crown, ...hairline(identity)]
  const outline = smooth(shape.map((point) => at.outline(point)), true)
  const strands = [-0.5, -0.2, 0.15, 0.45].map((x) => {
    const strand: Point[] = [[x * 0.8, TOP - 0.5 * hair.volume], [x * 1.15, -1], [x * 1.4, -hair.line]]
    return path(smooth(strand.map((point) => at.outline(point)), false), { stroke: shaded(hair.color, 1.3), width: at.size(0.03), opacity: 0.35 })
  })
  const curls = hair.style === 'curly' ? crown.map((point) => ellipse(at.outline(point), at.size(0.2), at.size(0.2), { fill: hair.color })) : []
  return path(outline, { fill: hair.color }) + curls.join('') + strands.join('')
}

/** Lower edge of the hair, from the left temple to the right one. */
function hairline({ hair, face }: Identity): Point[] {
  const side = 0.86 * face.width
  const line = -hair.line
  switch (hair.style) {
    case 'fringe':
      return [[-side, -0.3], [-0.6, -0.42], [-0.3, -0.4], [0, -0.45], [0.3, -0.4], [0.6, -0.42], [side, -0.3]]
    case 'parted': {
      const edge: Point[] = [[-side, -0.3], [-0.75, line + 0.2], [-0.3, line + 0.12], [0.25, line], [0.5, line - 0.22], [0.72, line + 0.05], [side, -0.3]]
      return hair.side > 0 ? edge : edge.map(([x, y]): Point => [-x, y]).reverse()
    }
    default:
      return [[-side, -0.35], [-0.66, line + 0.02], [-0.3, line - 0.06], [0, line], [0.3, line - 0.06], [0.66, line + 0.02], [side, -0.35]]
  }
}

export function beard(identity: Identity, at: Projection): string {
  const { mouth, face, nose } = identity
  const color: Color = mixed(identity.hair.color, identity.skin, 0.15)
  const surface = (points: readonly Point[]) => smooth(points.map((point) => at.surface(point)), true)
  const lip = mouth.height - mouth.upper
  const moustache = surface([[0, nose.length + 0.1], [0.24, nose.length + 0.13], [mouth.width + 0.04, lip + 0.06], [0.2, lip - 0.02], [0, lip], [-0.2, lip - 0.02], [-mouth.width - 0.04, lip + 0.06], [-0.24, nose.length + 0.13]])
  const below = mouth.height + mouth.lower + 0.04
  const cheeks: Point[] = [[0.93 * face.cheek, 0.45], [0.9 * face.jaw, 1.1], [face.chin, 0.93 * face.length], [0, 0.99 * face.length]]
  const inner: Point[] = [[-0.62, 0.62], [-mouth.width - 0.1, 0.95], [-0.2, below + 0.02], [0, below], [0.2, below + 0.02], [mouth.width + 0.1, 0.95], [0.62, 0.62]]
  const full = smooth([...symmetric(cheeks), ...inner].map((point, i) => (i < 7 ? at.outline(point) : at.surface(point))), true)
  switch (identity.beard) {
    case 'none':
      return ''
    case 'stubble':
      return path(full, { fill: color, opacity: 0.28, soft: 1 }) + path(moustache, { fill: color, opacity: 0.25, soft: 1 })
    case 'moustache':
      return path(moustache, { fill: color, opacity: 0.92 })
    case 'goatee':
      return path(moustache, { fill: color, opacity: 0.85 }) + ellipse(at.surface([0, (below + face.length) / 2]), at.size(0.22), at.size(0.2), { fill: color, opacity: 0.9, soft: 1 })
    case 'full':
      return path(full, { fill: color, opacity: 0.95 }) + path(moustache, { fill: color, opacity: 0.95 })
  }
}

/** The light on the whole head: bright on one side, dark on the other. */
export function skinGradient(identity: Identity, { light }: Scene): string {
  const [dx, dy] = [Math.cos(light.angle), Math.sin(light.angle)]
  const stop = (offset: number, factor: number) => `<stop offset="${offset}" stop-color="rgb(${shaded(identity.skin, factor).map(Math.round).join(',')})"/>`
  const focus = `cx="${(0.5 + 0.28 * dx).toFixed(3)}" cy="${(0.45 + 0.25 * dy).toFixed(3)}"`
  return `<radialGradient id="skin" ${focus} r="0.85">${stop(0, 1 + 0.25 * light.strength)}${stop(0.55, 1)}${stop(1, 1 - 0.75 * light.strength)}</radialGradient>`
}

/** Shade over the picture on the side away from the light. */
export function shadow({ light }: Scene): string {
  const half = SIZE / 2
  const [dx, dy] = [Math.cos(light.angle) * half, Math.sin(light.angle) * half]
  const ends = `x1="${half + dx}" y1="${half + dy}" x2="${half - dx}" y2="${half - dy}" gradientUnits="userSpaceOnUse"`
  return (
    `<linearGradient id="shadow" ${ends}><stop offset="0.35" stop-opacity="0"/><stop offset="1" stop-opacity="${(0.6 * light.strength).toFixed(3)}"/></linearGradient>` +
    `<rect width="${SIZE}" height="${SIZE}" fill="url(#shadow)"/>`
  )
}
