/**
 * What runs do on one test set: figures, curves of all of them in the same axes, and the pairs that each gets most wrong.
 * @module
 */
import type { OpenSetPoint } from '../../evaluation/open-set.js'
import type { Chart } from '../charts/draw.js'
import { cmcChart, openSetChart, type NamedCurve } from '../charts/identification.js'
import { detChart, rocChart, scoreHistogram, type NamedScores } from '../charts/verification.js'
import type { StoredEvaluation } from '../evaluations/record.js'
import type { RunRecord } from '../run-record.js'
import { count, percent } from '../wording.js'
import { charts, escaped, table } from './html.js'

interface Evaluated {
  readonly run: string
  readonly evaluation: StoredEvaluation
}

/** One section a test set, in order of their names. */
export function evaluationSections(runs: readonly RunRecord[]): string {
  return bySet(runs).map(([name, evaluated]) => section(name, evaluated)).join('\n')
}

/** The curves of every test set, with its name in their titles. */
export function evaluationCharts(runs: readonly RunRecord[]): Chart[] {
  return bySet(runs).flatMap(([name, evaluated]) => drawn(evaluated).map(({ title, svg }) => ({ title: `${name}, ${title}`, svg })))
}

function bySet(runs: readonly RunRecord[]): [name: string, evaluated: Evaluated[]][] {
  const names = [...new Set(runs.flatMap((run) => run.records.map(({ name }) => name)))].sort()
  return names.map((name) => [name, runs.flatMap((run) => run.records.filter((record) => record.name === name).map((evaluation) => ({ run: run.name, evaluation })))])
}

function section(name: string, evaluated: readonly Evaluated[]): string {
  const parts = [figures(name, evaluated), operatingPoints(name, evaluated), charts(drawn(evaluated)), ...evaluated.map(hardest)]
  return `<section><h2>${escaped(name)}</h2>\n${parts.join('\n')}</section>`
}

function drawn(evaluated: readonly Evaluated[]): Chart[] {
  const models = evaluated.flatMap(({ run, evaluation: { scores } }): NamedScores[] => (scores === undefined ? [] : [{ name: run, ...scores }]))
  const ranked = named(evaluated, 'cmc', (shares: readonly number[]) => shares.map((share, i) => [i + 1, share]))
  const open = named(evaluated, 'curve', (points: readonly OpenSetPoint[]) => points.map(({ fpir, tpir }) => [fpir, 1 - tpir]))
  return [
    ...(models.length === 0 ? [] : [rocChart(models), detChart(models), ...models.map(scoreHistogram)]),
    ...(ranked.length === 0 ? [] : [cmcChart(ranked)]),
    ...(open.length === 0 ? [] : [openSetChart(open)]),
  ]
}

/** The curves of those models whose record has one. */
function named<T>(evaluated: readonly Evaluated[], key: string, pointsOf: (stored: T) => [number, number][]): NamedCurve[] {
  return evaluated.flatMap(({ run, evaluation: { figures: values } }) => (values[key] === undefined ? [] : [{ name: run, points: pointsOf(values[key] as T) }]))
}

function figures(name: string, evaluated: readonly Evaluated[]): string {
  const rows = evaluated.map(({ run, evaluation: { figures: values } }) => [run, ...figureColumns(values).map(([, text]) => text)])
  const head = evaluated.map(({ evaluation }) => figureColumns(evaluation.figures).map(([column]) => column))
  return table(`Figures on ${name}`, ['run', ...head[0]!], rows)
}

/** The same columns for every record of one kind. */
function figureColumns(values: StoredEvaluation['figures']): [column: string, text: string][] {
  const number = (key: string) => Number(values[key])
  const model = values['step'] === undefined ? ((values['weights'] as string[] | undefined)?.map((file) => file.replace(/^.*[\\/]/, '')).join(' + ') ?? '-') : `step ${count(number('step'))}`
  const flip: [string, string] = ['mirror images', values['flip'] === true ? 'added' : 'not used']
  if (Array.isArray(values['ranks'])) {
    const ranks = values['ranks'] as { rank: number; accuracy: number }[]
    return [['model', model], flip, ...ranks.map(({ rank, accuracy }): [string, string] => [`rank ${rank}`, percent(accuracy)])]
  }
  const [low, high] = (values['interval'] as [number, number] | undefined) ?? []
  return [
    ['model', model],
    ...(values['accuracy'] === undefined
      ? []
      : ([
          ['accuracy', `${percent(number('accuracy'))} \u00b1 ${percent(number('std'))}`],
          ['95% interval', `${percent(low!)} to ${percent(high!)}`],
          ['rule', `${String(values['rule'])}, ${number('folds')} folds`],
        ] as [string, string][])),
    flip,
    ['pairs', count(number('pairs'))],
    ['AUC', number('auc').toFixed(5)],
    ['EER', percent(number('equalErrorRate'))],
  ]
}

function operatingPoints(name: string, evaluated: readonly Evaluated[]): string {
  const points = evaluated.map(({ evaluation }) => (evaluation.figures['tarAtFar'] as { far: number; tar: number; threshold: number | null }[] | undefined) ?? [])
  const fars = [...new Set(points.flat().map(({ far }) => far))].sort((a, b) => a - b)
  if (fars.length === 0) return ''
  const cell = (point: (typeof points)[number][number] | undefined) => (point === undefined ? '-' : `${percent(point.tar)}${point.threshold === null ? '' : ` at cosine ${point.threshold.toFixed(3)}`}`)
  const rows = evaluated.map(({ run }, i) => [run, ...fars.map((far) => cell(points[i]!.find((point) => point.far === far)))])
  return table(`True accept rates on ${name} and where they are reached`, ['run', ...fars.map((far) => `FAR ${far}`)], rows)
}

function hardest({ run, evaluation }: Evaluated): string {
  if (evaluation.hardest.length === 0) return ''
  const limit = cosineThreshold(evaluation.figures)
  const of = (kind: string, title: string, wrong: (score: number) => boolean, verdict: string) => {
    const items = evaluation.hardest
      .filter((pair) => pair.kind === kind)
      .map(({ names, score, picture }) => {
        const mark = wrong(score) ? ` <span class="wrong">${verdict}</span>` : ''
        const source = `data:image/jpeg;base64,${picture.toString('base64')}`
        return `<li><figure><img src="${source}" width="224" height="112" loading="lazy" alt="${escaped(names.join(' and '))}"><figcaption><strong>${score.toFixed(3)}</strong>${mark}<br>${names.map(escaped).join('<br>')}</figcaption></figure></li>`
      })
    return items.length === 0 ? '' : `<h3>${title}</h3><ul class="pairs">${items.join('\n')}</ul>`
  }
  const threshold = limit === undefined ? '' : ` The mean threshold of the folds is a cosine of ${limit.toFixed(3)}.`
  return (
    `<h3>Hardest pairs of ${escaped(run)}</h3><p class="soft">With their cosine similarity.${threshold}</p>` +
    of('impostors', 'Two people, most alike', (score) => limit !== undefined && score >= limit, 'accepted') +
    of('genuine', 'One person, least alike', (score) => limit !== undefined && score < limit, 'rejected')
  )
}

/** The threshold of the rule as a cosine. */
function cosineThreshold(values: StoredEvaluation['figures']): number | undefined {
  const threshold = values['threshold']
  if (typeof threshold !== 'number') return undefined
  return values['thresholdUnit'] === 'squared distance' ? 1 - threshold / 2 : threshold
}
