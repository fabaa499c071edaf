/**
 * The SVG elements that faces are drawn with.
 * @module
 */
import { css, type Color } from './color.js'
import type { Point } from './pose.js'

export interface Paint {
  readonly fill?: Color | string
  readonly stroke?: Color
  /** Pixels. */
  readonly width?: number
  readonly opacity?: number
  /** Standard deviation of a soft edge in pixels. */
  readonly soft?: number
  /** Id of a clip path. */
  readonly clip?: string
}

export function path(data: string, paint: Paint): string {
  return `<path d="${data}" ${attributes(paint)}/>`
}

export function ellipse([x, y]: Point, rx: number, ry: number, paint: Paint): string {
  return `<ellipse cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" rx="${rx.toFixed(2)}" ry="${ry.toFixed(2)}" ${attributes(paint)}/>`
}

function attributes({ fill, stroke, width, opacity, soft, clip }: Paint): string {
  const parts = [`fill="${fill === undefined ? 'none' : typeof fill === 'string' ? fill : css(fill)}"`]
  if (stroke !== undefined) parts.push(`stroke="${css(stroke)}" stroke-width="${(width ?? 1).toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"`)
  if (opacity !== undefined) parts.push(`opacity="${opacity.toFixed(3)}"`)
  if (soft !== undefined) parts.push(`filter="url(#soft${soft})"`)
  if (clip !== undefined) parts.push(`clip-path="url(#${clip})"`)
  return parts.join(' ')
}

/** Soft edges that {@link Paint.soft} may ask for. */
export const SOFTNESS = [1, 2, 4] as const

export function definitions(): string {
  return SOFTNESS.map((soft) => `<filter id="soft${soft}" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="${soft}"/></filter>`).join('')
}
