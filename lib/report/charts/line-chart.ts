/**
 * Figures over the course of a run.
 * @module
 */
import { draw, type Chart } from './draw.js'

export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface ChartOptions {
  readonly title: string
  readonly x: string
  /** How values of the vertical axis read. */
  readonly format?: (value: number) => string
  /** A dot at every point: for few of them. */
  readonly dots?: boolean
}

/** More points than this are not seen apart. */
const MOST_POINTS = 400

export function lineChart(curves: readonly Curve[], { title, x, format = String, dots = false }: ChartOptions): Chart {
  const series = curves.map(({ name, points }, group) => ({ name, points: thinned(points), dots, group }))
  return draw(title, { name: x, max: 'dataMax' }, { name: '', format, scale: true }, series)
}

/** Means of neighbouring points, so that noise becomes a line instead of a band. */
function thinned(points: Curve['points']): [number, number][] {
  const group = Math.ceil(points.length / MOST_POINTS)
  return Array.from({ length: Math.ceil(points.length / Math.max(1, group)) }, (_, i) => {
    const part = points.slice(i * group, (i + 1) * group)
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length
    return [mean(0), mean(1)]
  })
}
