/**
 * What searches look like: how often the right person stands among the first, and misses over false alarms.
 * @module
 */
import { draw, type Chart } from './draw.js'
import { decade, percent, power } from './verification.js'

/** A curve of one model. */
export interface NamedCurve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Cumulative match characteristic: points are rank and share. */
export function cmcChart(models: readonly NamedCurve[]): Chart {
  return draw('CMC: right person among the first', { name: 'rank', min: 1, max: 'dataMax' }, { name: 'share of searches', max: 1, scale: true, format: percent }, models.map((model, group) => ({ ...model, dots: true, group })))
}

/** Misses over false alarms of an open set: points are FPIR and FNIR = 1 - TPIR. */
export function openSetChart(models: readonly NamedCurve[]): Chart {
  const smallest = (axis: 0 | 1) => Math.min(0.1, ...models.flatMap(({ points }) => points.map((point) => point[axis]).filter((value) => value > 0)))
  const [fpir, fnir] = [decade(smallest(0)), decade(smallest(1))]
  const series = models.map(({ name, points }, group) => ({ name, points: points.map(([x, y]) => [x, Math.max(y, fnir)] as const), group }))
  return draw('DET: misses over false alarms', { name: 'false positive identification rate', log: true, min: fpir, max: 1, format: power }, { name: 'false negative identification rate', log: true, min: fnir, max: 1, format: power }, series)
}
