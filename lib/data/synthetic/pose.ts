/**
 * From head coordinates to pixels. The head is an ellipsoid around the point between the eyes: x to the right, y down,
 * z to the viewer; half the width of an average face is 1.
 * @module
 */
export type Point = readonly [x: number, y: number]

export interface Pose {
  /** Radians: turned to the side, nodding, tilted. */
  readonly yaw: number
  readonly pitch: number
  readonly roll: number
  /** Pixels for one head unit. */
  readonly scale: number
  /** Pixel of the point between the eyes. */
  readonly centre: Point
}

/** Depth of the ellipsoid's surface at (x, y). */
function depth(x: number, y: number): number {
  return 0.85 * Math.sqrt(Math.max(0, 1 - (x / 1.15) ** 2 - ((y - 0.1) / 1.65) ** 2))
}

/** Turns head coordinates into pixels. */
export class Projection {
  readonly #pose: Pose

  constructor(pose: Pose) {
    this.#pose = pose
  }

  /** A point on the surface, `lift` above it. */
  surface([x, y]: Point, lift = 0): Point {
    return this.#project(x, y, depth(x, y) + lift)
  }

  /** A point of the silhouette: outline, hair, ears. */
  outline([x, y]: Point): Point {
    return this.#project(x, y, 0.1)
  }

  /** Length in pixels. */
  size(units: number): number {
    return units * this.#pose.scale
  }

  #project(x: number, y: number, z: number): Point {
    const { yaw, pitch, roll, scale, centre } = this.#pose
    // Alignment puts the eyes in the middle, so most of the shift that turning brings is taken back.
    const turned = x * Math.cos(yaw) + (z - 0.6) * Math.sin(yaw)
    const nearer = z * Math.cos(yaw) - x * Math.sin(yaw)
    const nodded = y * Math.cos(pitch) - (nearer - 0.6) * Math.sin(pitch)
    return [
      centre[0] + scale * (turned * Math.cos(roll) - nodded * Math.sin(roll)),
      centre[1] + scale * (turned * Math.sin(roll) + nodded * Math.cos(roll)),
    ]
  }
}

/** SVG path data of a smooth line through points (Catmull and Rom's spline as Bezier curves). */
export function smooth(points: readonly Point[], closed: boolean): string {
  const n = points.length
  const at = (i: number): Point => (closed ? points[(i + n) % n]! : points[Math.max(0, Math.min(n - 1, i))]!)
  const parts = [`M${pair(at(0))}`]
  for (let i = 0; i < (closed ? n : n - 1); i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)]
    const control = (from: Point, to: Point, by: Point, sign: number): Point => [by[0] + (sign * (to[0] - from[0])) / 6, by[1] + (sign * (to[1] - from[1])) / 6]
    parts.push(`C${pair(control(p0, p2, p1, 1))} ${pair(control(p1, p3, p2, -1))} ${pair(p2)}`)
  }
  return parts.join('') + (closed ? 'Z' : '')
}

function pair([x, y]: Point): string {
  return `${x.toFixed(2)},${y.toFixed(2)}`
}

/** A right half from top to bottom, completed by its mirror image. */
export function symmetric(right: readonly Point[]): Point[] {
  const left = right
    .filter(([x]) => x !== 0)
    .map(([x, y]): Point => [-x, y])
    .reverse()
  return [...right, ...left]
}
