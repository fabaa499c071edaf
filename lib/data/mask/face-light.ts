/**
 * How a photographed face is lit, read off its skin: brightness as a linear function of the direction that the skin
 * faces, so that a mask on it can be lit alike.
 * @module
 */
import type { NativeTensor } from '../../native.js'
import type { FaceFit } from './face-fit.js'
import { solve, unit, type Point3 } from './vector.js'

/** Skin that is seldom covered by hair or beard, and where it faces. */
const SKIN: readonly { readonly at: Point3; readonly normal: Point3 }[] = [
  { at: [0, -32, 12], normal: [0, -0.3, 1] },
  { at: [-24, -30, 8], normal: [-0.4, -0.3, 1] },
  { at: [24, -30, 8], normal: [0.4, -0.3, 1] },
  { at: [0, 12, 14], normal: [0, -0.3, 1] },
  { at: [-32, 30, 0], normal: [-0.4, 0.1, 1] },
  { at: [32, 30, 0], normal: [0.4, 0.1, 1] },
  { at: [-50, 38, -20], normal: [-0.9, 0, 0.8] },
  { at: [50, 38, -20], normal: [0.9, 0, 0.8] },
  { at: [-20, 55, 10], normal: [-0.3, 0.1, 1] },
  { at: [20, 55, 10], normal: [0.3, 0.1, 1] },
  { at: [0, 100, 10], normal: [0, 0.5, 0.9] },
]

/** Brightness of a white mask in a well exposed picture. */
const EXPOSED = { skin: 150, brightest: 225 }

export class FaceLight {
  readonly #level: number
  readonly #right: number
  readonly #down: number
  /** The picture has no colours. */
  readonly grey: boolean
  /** Standard deviation of the picture's noise in levels, between neighbouring pixels of skin. */
  readonly noise: number

  constructor(picture: NativeTensor, fit: FaceFit) {
    const [height, width] = picture.shape as [number, number, number]
    const pixels = new Uint8Array(picture.data)
    const radius = Math.max(1, Math.round(3 * fit.scale))
    const seen = SKIN.flatMap(({ at, normal }) => {
      const [x, y] = fit.pixel(at)
      const direction = fit.direction(unit(normal))
      const value = direction[2] > 0.2 ? meanAround(pixels, width, height, x, y, radius) : undefined
      return value === undefined ? [] : [{ value, direction }]
    })
    const mean = seen.length === 0 ? EXPOSED.skin : seen.reduce((sum, { value }) => sum + value, 0) / seen.length
    const [right, down] = seen.length < 4 ? [0, 0] : slopes(seen, mean)
    const brightest = percentile(pixels, 0.97)
    this.#level = Math.max(0.42, Math.min(1.08, 0.5 * (mean / EXPOSED.skin) + 0.5 * (brightest / EXPOSED.brightest)))
    this.#right = right
    this.#down = down
    this.grey = isGrey(pixels)
    this.noise = noiseOf(pixels, width, height)
  }

  /** Factor of the cloth's colour where it faces `direction` (camera coordinates, unit length). */
  on([x, y, z]: Point3): number {
    const modelled = 1 + Math.max(-0.4, Math.min(0.4, this.#right * x + this.#down * y))
    // Cloth that turns away from the viewer turns away from most lights too; from below, all rooms are darker.
    const fall = 0.68 + 0.36 * Math.max(0, z) - 0.14 * Math.max(0, y)
    return this.#level * modelled * fall
  }
}

/** Least squares with a pull towards no direction at all; relative to the mean brightness. */
function slopes(seen: readonly { value: number; direction: Point3 }[], mean: number): [number, number] {
  const matrix = [[0.6, 0, 0], [0, 0.6, 0], [0, 0, 1e-6]]
  const target = [0, 0, 0]
  for (const { value, direction } of seen) {
    const row = [direction[0], direction[1], 1]
    for (let i = 0; i < 3; i++) {
      target[i]! += row[i]! * (value / Math.max(20, mean) - 1)
      for (let j = 0; j < 3; j++) matrix[i]![j]! += row[i]! * row[j]!
    }
  }
  const [right, down] = solve(matrix, target) as [number, number, number]
  return [right, down]
}

function meanAround(pixels: Uint8Array, width: number, height: number, x: number, y: number, radius: number): number | undefined {
  let [sum, count] = [0, 0]
  for (let row = Math.round(y) - radius; row <= y + radius; row++) {
    for (let column = Math.round(x) - radius; column <= x + radius; column++) {
      if (row < 0 || column < 0 || row >= height || column >= width) continue
      sum += luminance(pixels, 3 * (row * width + column))
      count++
    }
  }
  return count === 0 ? undefined : sum / count
}

function luminance(pixels: Uint8Array, at: number): number {
  return 0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!
}

function percentile(pixels: Uint8Array, share: number): number {
  const counts = new Uint32Array(256)
  for (let at = 0; at < pixels.length; at += 3) counts[Math.round(luminance(pixels, at))]!++
  let left = (pixels.length / 3) * share
  for (let level = 0; level < 256; level++) if ((left -= counts[level]!) <= 0) return level
  return 255
}

function isGrey(pixels: Uint8Array): boolean {
  let difference = 0
  for (let at = 0; at < pixels.length; at += 3) difference += Math.abs(pixels[at]! - pixels[at + 1]!) + Math.abs(pixels[at + 1]! - pixels[at + 2]!)
  return difference / (pixels.length / 3) < 3
}

/** From the median difference to the mean of the two horizontal neighbours, which edges do not move. */
function noiseOf(pixels: Uint8Array, width: number, height: number): number {
  const counts = new Uint32Array(256)
  let total = 0
  for (let row = 0; row < height; row++) {
    for (let column = 1; column + 1 < width; column++) {
      const at = 3 * (row * width + column) + 1
      counts[Math.min(255, Math.round(Math.abs(pixels[at]! - (pixels[at - 3]! + pixels[at + 3]!) / 2) * 4))]!++
      total++
    }
  }
  let left = total / 2
  let quarter = 0
  while (quarter < 255 && (left -= counts[quarter]!) > 0) quarter++
  // A normal deviate's median magnitude is 0.6745 of its deviation; the neighbours' mean adds half as much variance.
  return Math.min(6, quarter / 4 / 0.6745 / Math.sqrt(1.5))
}
