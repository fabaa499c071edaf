/**
 * What both families of detectors share: a grid of places for each stride, and overlapping answers of which the best
 * stays.
 * @module
 */
import type { FivePoints } from '../landmarks.js'

/** Pixels between neighbouring places of the three grids. */
export const STRIDES = [8, 16, 32] as const

/** A face found in an image; all in pixels. */
export interface DetectedFace {
  /** 0 to 1. */
  readonly score: number
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly points: FivePoints
}

/** Detectors answer for each place; of faces that overlap by more than `most` (intersection over union) the best stays. */
export function withoutOverlaps(faces: readonly DetectedFace[], most = 0.4): DetectedFace[] {
  const kept: DetectedFace[] = []
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(face, other) <= most)) kept.push(face)
  }
  return kept
}

export function areaOf({ left, top, right, bottom }: DetectedFace): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top)
}

function overlap(a: DetectedFace, b: DetectedFace): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (width <= 0 || height <= 0) return 0
  return (width * height) / (areaOf(a) + areaOf(b) - width * height)
}
