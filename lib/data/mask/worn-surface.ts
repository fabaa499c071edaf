/**
 * The surface of a worn mask in head coordinates (see face-fit.ts), from a table of points of its right half, made
 * smooth between them. Across, u goes from the middle (0) to the mask's side (1) and on along the cheek to the ear (1.5),
 * where the loops lie; down, v goes from the upper edge on the bridge of the nose (0) to the lower edge under the chin (1).
 * @module
 */
import { cross, subtract, unit, type Point3 } from './vector.js'

/** The mirror image of the second column comes first, so that the middle is smooth. */
const ACROSS = [-0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]

interface Row {
  readonly v: number
  readonly points: readonly Point3[]
}

const ROWS: readonly Row[] = [
  { v: 0, points: [[0, 18, 16], [15, 23, 6], [31, 31, 1], [46, 36, -12], [58, 39, -32], [69, 36, -64], [75, 27, -92]] },
  { v: 0.2, points: [[0, 38, 31], [15, 40, 18], [31, 46, 7], [46, 50, -9], [57, 52, -31], [68, 47, -64], [75, 33, -92]] },
  { v: 0.45, points: [[0, 61, 29], [17, 62, 20], [32, 65, 8], [45, 67, -10], [54, 68, -33], [66, 58, -65], [75, 39, -92]] },
  { v: 0.7, points: [[0, 85, 24], [17, 85, 17], [31, 84, 5], [43, 82, -13], [51, 81, -35], [64, 68, -66], [75, 45, -92]] },
  { v: 0.9, points: [[0, 113, 17], [16, 110, 10], [30, 105, -3], [42, 98, -19], [50, 92, -40], [63, 74, -68], [75, 48, -92]] },
  { v: 1, points: [[0, 125, 6], [15, 122, 1], [29, 116, -11], [41, 107, -26], [49, 99, -44], [62, 77, -69], [75, 50, -92]] },
]

/** How a style departs from cloth that lies on the face. */
export interface Fullness {
  /** Millimetres that the middle stands off the face. */
  readonly stand: number
  /** Whether the middle is a ridge, as of folded respirators, and not a curve. */
  readonly ridge: boolean
}

/** A point of the surface with the direction that it faces. */
export interface SurfacePoint {
  readonly u: number
  readonly v: number
  readonly at: Point3
  readonly normal: Point3
}

/** Points row by row from the upper edge, each from ear to ear; `columns` and `rows` count the cells between them. */
export function surfaceGrid(columns: number, rows: number, fullness: Fullness): SurfacePoint[] {
  return Array.from({ length: (rows + 1) * (columns + 1) }, (_, i) => {
    const [u, v] = [(3 * (i % (columns + 1))) / columns - 1.5, Math.floor(i / (columns + 1)) / rows]
    const right = subtract(surfacePoint(Math.min(1.5, u + 0.05), v, fullness), surfacePoint(Math.max(-1.5, u - 0.05), v, fullness))
    const below = subtract(surfacePoint(u, Math.min(1, v + 0.04), fullness), surfacePoint(u, Math.max(0, v - 0.04), fullness))
    return { u, v, at: surfacePoint(u, v, fullness), normal: unit(cross(right, below)) }
  })
}

/** Point of the surface; u from -1.5 to 1.5. */
function surfacePoint(u: number, v: number, { stand, ridge }: Fullness): Point3 {
  const side = Math.abs(u)
  const rows = ROWS.map(({ points }) => spline([mirrored(points[1]!), ...points], ACROSS, side))
  const [x, y, z] = spline(rows, ROWS.map((row) => row.v), v)
  // Nothing at the edges, where a mask lies on the skin.
  const inside = side < 1 ? Math.sin(Math.PI * Math.min(1, v / 1.02)) ** 0.7 * (ridge ? (1 - side) ** 1.1 : Math.cos((side * Math.PI) / 2) ** 2) : 0
  return [u < 0 ? -x : x, y, z + stand * inside]
}

function mirrored([x, y, z]: Point3): Point3 {
  return [-x, y, z]
}

/** Catmull and Rom's spline through values at increasing places. */
function spline(values: readonly Point3[], places: readonly number[], at: number): Point3 {
  let i = 0
  while (i < places.length - 2 && at > places[i + 1]!) i++
  const t = (at - places[i]!) / (places[i + 1]! - places[i]!)
  const [p0, p1, p2, p3] = [i - 1, i, i + 1, i + 2].map((k) => values[Math.max(0, Math.min(values.length - 1, k))]!) as [Point3, Point3, Point3, Point3]
  const one = (axis: 0 | 1 | 2): number => {
    const [a, b, c, d] = [p0[axis], p1[axis], p2[axis], p3[axis]]
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
  }
  return [one(0), one(1), one(2)]
}
