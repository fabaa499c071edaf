/**
 * Where a face is in space: an average head is turned, moved, scaled and stretched until its landmarks, seen by a camera
 * one metre away, meet those of the image.
 *
 * Head coordinates are millimetres: x to the right as seen in the image, y down, z to the viewer, from the point between
 * the pupils. Five landmarks leave some of this open, so every unknown has an expected value and a spread; Gauss and
 * Newton's method finds the most likely head.
 * @module
 */
import type { FaceLandmarks } from '../landmarks.js'
import { solve, type Point2, type Point3 } from './vector.js'

/** Left eye, right eye, nose tip, left and right mouth corner of the average head; widths and heights are those of the ArcFace template. */
const POINTS: readonly Point3[] = [[-31.5, 0, 0], [31.5, 0, 0], [0, 36, 27], [-26, 72.6, 3], [26, 72.6, 3]]

/** iBUG's points 8 to 16: the jaw from the chin to the right ear, on the outline of a face seen from the front. */
const RIGHT_JAW: readonly Point3[] = [
  [0, 118, 0], [17, 116, -10], [32, 108, -24], [45, 96, -42], [54, 82, -56], [61, 64, -66], [66, 45, -74], [69, 25, -79], [70, 5, -82],
]
const JAW: readonly Point3[] = [...RIGHT_JAW.slice(1).reverse().map(([x, y, z]): Point3 => [-x, y, z]), ...RIGHT_JAW]

const CAMERA_DISTANCE = 1000

/** Expected error of a landmark in millimetres. Jaw points slide along the outline when the head turns. */
const POINT_ERROR = 2
const JAW_ERROR = 8

/** yaw, pitch, roll, ln(pixels a millimetre), x, y, ln(length of the lower face), ln(width); zero where nothing is known. */
const SPREADS = [0.7, 0.2, 3, 3, 1e4, 1e4, 0.07, 0.07]
const UNKNOWNS = SPREADS.length

export class FaceFit {
  readonly #unknowns: number[]
  /** What the rigid head leaves over: landmarks seen less landmarks projected, in pixels, with their projected place. */
  readonly #rest: { at: Point2; by: Point2; reach: number }[] = []

  constructor({ points, jaw }: FaceLandmarks) {
    const seen = pairs(points).map((to, i) => ({ from: POINTS[i]!, to, error: POINT_ERROR }))
    const outline = jaw === undefined ? [] : pairs(jaw).map((to, i) => ({ from: JAW[i]!, to, error: JAW_ERROR }))
    const marks = [...seen, ...outline]
    this.#unknowns = fit(marks, start(seen.map((mark) => mark.to)))
    for (const { from, to } of marks) {
      const at = project(this.#unknowns, from)
      const reach = (outline.length > 0 && from === POINTS[2] ? 18 : 26) * this.scale
      this.#rest.push({ at: [at[0], at[1]], by: [to[0] - at[0], to[1] - at[1]], reach })
    }
  }

  /** Radians; positive when the face looks to the right side of the image. */
  get yaw(): number {
    return this.#unknowns[0]!
  }

  /** Pixels a millimetre. */
  get scale(): number {
    return Math.exp(this.#unknowns[3]!)
  }

  /** Pixel of a point of the head, and how near it is in millimetres. What the landmarks say of its surroundings is followed. */
  pixel(point: Point3): Point3 {
    const [x, y, z] = project(this.#unknowns, point)
    let [dx, dy, total] = [0, 0, 1]
    for (const { at, by, reach } of this.#rest) {
      const weight = 3 * Math.exp(-0.5 * ((x - at[0]) ** 2 + (y - at[1]) ** 2) / reach ** 2)
      dx += weight * by[0]
      dy += weight * by[1]
      total += weight
    }
    return [x + dx / total, y + dy / total, z]
  }

  /** A direction of the head as the camera sees it. */
  direction(vector: Point3): Point3 {
    return turned(this.#unknowns, vector)
  }
}

interface Mark {
  readonly from: Point3
  readonly to: Point2
  readonly error: number
}

/** Scale, place and roll of the eyes and mouth alone. */
function start(points: readonly Point2[]): number[] {
  const [left, right, , mouthLeft, mouthRight] = points as [Point2, Point2, Point2, Point2, Point2]
  const eyes: Point2 = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2]
  const down: Point2 = [(mouthLeft[0] + mouthRight[0]) / 2 - eyes[0], (mouthLeft[1] + mouthRight[1]) / 2 - eyes[1]]
  const across = Math.hypot(right[0] - left[0], right[1] - left[1])
  const scale = Math.max(across / 63, Math.hypot(...down) / 72.6, 1e-3)
  return [0, 0, Math.atan2(-down[0], down[1]), Math.log(scale), eyes[0], eyes[1], 0, 0]
}

function fit(marks: readonly Mark[], unknowns: number[]): number[] {
  for (let round = 0; round < 12; round++) {
    const matrix = Array.from({ length: UNKNOWNS }, (_, i) => Array.from({ length: UNKNOWNS }, (_, j) => (i === j ? 1 / SPREADS[i]! ** 2 : 0)))
    // The place in the image has no expected value of its own.
    const right = unknowns.map((value, i) => (i === 2 || i === 3 || i === 4 || i === 5 ? 0 : -value / SPREADS[i]! ** 2))
    const scale = Math.exp(unknowns[3]!)
    for (const { from, to, error } of marks) {
      const here = project(unknowns, from)
      const slopes = unknowns.map((value, k) => {
        const step = k === 4 || k === 5 ? 0.01 : 1e-4
        const there = project(unknowns.with(k, value + step), from)
        return [(there[0] - here[0]) / step, (there[1] - here[1]) / step] as const
      })
      const weight = 1 / (error * scale) ** 2
      for (const axis of [0, 1] as const) {
        for (let i = 0; i < UNKNOWNS; i++) {
          right[i]! += weight * slopes[i]![axis] * (to[axis] - here[axis])
          for (let j = 0; j < UNKNOWNS; j++) matrix[i]![j]! += weight * slopes[i]![axis] * slopes[j]![axis]
        }
      }
    }
    const step = solve(matrix, right)
    unknowns = unknowns.map((value, i) => value + step[i]!)
    unknowns[0] = Math.max(-1.3, Math.min(1.3, unknowns[0]!))
    if (step.every((change) => Math.abs(change) < 1e-4)) break
  }
  return unknowns
}

function turned([yaw, pitch, roll]: readonly number[], [x, y, z]: Point3): Point3 {
  const [cy, sy, cp, sp, cr, sr] = [Math.cos(yaw!), Math.sin(yaw!), Math.cos(pitch!), Math.sin(pitch!), Math.cos(roll!), Math.sin(roll!)]
  const [x1, z1] = [x * cy + z * sy, z * cy - x * sy]
  const [y2, z2] = [y * cp - z1 * sp, z1 * cp + y * sp]
  return [x1 * cr - y2 * sr, x1 * sr + y2 * cr, z2]
}

function project(unknowns: readonly number[], [x, y, z]: Point3): Point3 {
  const [, , , logScale, left, top, length, width] = unknowns as [number, number, number, number, number, number, number, number]
  const [px, py, pz] = turned(unknowns, [x * Math.exp(width), y > 0 ? y * Math.exp(length) : y, z])
  const scale = (Math.exp(logScale) * CAMERA_DISTANCE) / (CAMERA_DISTANCE - pz)
  return [left + px * scale, top + py * scale, pz]
}

function pairs(values: readonly number[]): Point2[] {
  return Array.from({ length: values.length / 2 }, (_, i): Point2 => [values[2 * i]!, values[2 * i + 1]!])
}
