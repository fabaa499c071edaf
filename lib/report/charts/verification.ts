/**
 * What the scores of pairs look like: ROC and DET over logarithmic error rates, and histograms.
 * @module
 */
import { rocCurve } from '../../evaluation/roc.js'
import type { ScoredPairs } from '../../evaluation/scores.js'
import { draw, type Chart, type Series } from './draw.js'

/** Scores of one model on one list. */
export interface NamedScores extends ScoredPairs {
  readonly name: string
}

const POINTS_PER_DECADE = 40
/** As many bins as the pairs fill. */
const LEAST_BINS = 16
const MOST_BINS = 100

/** True accepts over false accepts. */
export function rocChart(models: readonly NamedScores[]): Chart {
  return draw('ROC: true accepts over false accepts', rate('false accept rate', models), { name: 'true accept rate', max: 1, scale: true, format: percent }, models.map((model, group) => ({ ...errorCurve(model, (tar) => tar), group })))
}

/** Detection error trade-off: false rejects over false accepts. */
export function detChart(models: readonly NamedScores[]): Chart {
  const least = 1 / Math.max(...models.map(({ genuine }) => genuine.reduce((sum, value) => sum + value, 0)), 10)
  const series = models.map((model, group) => ({ ...errorCurve(model, (tar) => Math.max(1 - tar, least)), group }))
  return draw('DET: false rejects over false accepts', rate('false accept rate', models), { name: 'false reject rate', log: true, min: decade(least), max: 1, format: power }, series)
}

/** Shares of the pairs of one person and of two by their score. */
export function scoreHistogram(model: NamedScores): Chart {
  const lowest = Math.floor(model.scores.reduce((least, score) => Math.min(least, score), 1) * 10) / 10
  const bins = Math.min(MOST_BINS, Math.max(LEAST_BINS, Math.round(Math.sqrt(model.scores.length))))
  const width = (1 - lowest) / bins
  const series = ([['one person', 1], ['two people', 0]] as const).map(([name, kind]): Series => {
    const counts = new Float64Array(bins)
    let total = 0
    model.scores.forEach((score, pair) => {
      if (model.genuine[pair] !== kind) return
      counts[Math.min(bins - 1, Math.max(0, Math.floor((score - lowest) / width)))]!++
      total++
    })
    return { name, points: Array.from(counts, (count, bin) => [lowest + (bin + 0.5) * width, count / Math.max(1, total)] as const), area: true }
  })
  return draw(`Scores of ${model.name}`, { name: 'cosine similarity', min: lowest, max: 1 }, { name: 'share of pairs', format: percent }, series)
}

/** Points of a curve at evenly spaced powers of the false accept rate, and no more than the list can measure. */
function errorCurve(model: NamedScores, y: (tar: number) => number): Series {
  const { far, tar } = rocCurve(model)
  const points: [number, number][] = []
  let place = Number.NEGATIVE_INFINITY
  for (let i = 0; i < far.length; i++) {
    const next = far[i + 1]
    // The last point of a false accept rate is the one that counts.
    if (far[i] === 0 || far[i] === next) continue
    const here = Math.floor(Math.log10(far[i]!) * POINTS_PER_DECADE)
    if (here === place && next !== undefined) continue
    place = here
    points.push([far[i]!, y(tar[i]!)])
  }
  return { name: model.name, points }
}

function rate(name: string, models: readonly NamedScores[]) {
  const impostors = Math.max(...models.map(({ genuine }) => genuine.length - genuine.reduce((sum, value) => sum + value, 0)))
  return { name, log: true, min: decade(1 / Math.max(10, impostors)), max: 1, format: power }
}

/** The power of ten at or below. */
export function decade(value: number): number {
  return 10 ** Math.floor(Math.log10(value) + 1e-9)
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}

export function power(value: number): string {
  return value >= 0.01 ? String(Number(value.toPrecision(2))) : value.toExponential(0)
}
