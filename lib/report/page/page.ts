/**
 * One self-contained HTML page about a run, or several compared: figures, curves, test sets, configurations. It loads
 * nothing and runs nothing.
 * @module
 */
import { lineChart, type ChartOptions, type Curve } from '../charts/line-chart.js'
import type { Chart } from '../charts/draw.js'
import { figure, type RunRecord } from '../run-record.js'
import { runTable } from '../run-table.js'
import { percent, rate } from '../wording.js'
import { evaluationSections } from './evaluations.js'
import { charts, escaped, table } from './html.js'
import { STYLE } from './style.js'

export function reportPage(runs: readonly RunRecord[]): string {
  const title = runs.length === 1 ? `Run ${runs[0]!.name}` : `${runs.length} runs compared`
  const notes = [...new Set(runs.flatMap((run) => (run.start['notes'] as string[] | undefined) ?? []))]
  const { head, rows } = runTable(runs)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)} - facex</title><style>${STYLE}</style></head>
<body>
<main>
<header><h1>${escaped(title)}</h1><p class="soft">${escaped(subtitle(runs))}</p></header>
${notes.map((note) => `<p class="note">${escaped(note)}</p>`).join('\n')}
${table('Runs', head, rows)}
<section><h2>Training</h2>
${charts(trainingCharts(runs)) || '<p class="soft">No step was logged.</p>'}</section>
${evaluationSections(runs)}
<section><h2>Configuration</h2>
${runs.map(configuration).join('\n')}</section>
</main>
</body>
</html>
`
}

function subtitle(runs: readonly RunRecord[]): string {
  const times = runs.flatMap(({ start, end }) => [start.time, end?.time ?? start.time]).sort()
  const day = (time: string) => time.slice(0, 10)
  const [first, last] = [day(times[0]!), day(times.at(-1)!)]
  return `facex, ${first === last ? first : `${first} to ${last}`}`
}

/** The curves of training, of all runs in the same axes. */
export function trainingCharts(runs: readonly RunRecord[]): Chart[] {
  // A run that was stopped early may have logged no step: no empty axes.
  const logged = runs.filter((run) => run.steps.length > 0)
  const overSteps = (key: string, options: Omit<ChartOptions, 'x'>) =>
    logged.length === 0 ? [] : [lineChart(logged.map((run) => ({ name: run.name, points: run.steps.map((line) => [line.step, figure(line, key)] as const) })), { x: 'step', ...options })]
  const evaluations = runs.flatMap((run) => evaluationCurves(run, runs.length > 1))
  return [
    ...overSteps('loss', { title: 'Training loss' }),
    ...(evaluations.length === 0 ? [] : [lineChart(evaluations, { title: 'Evaluation over the run', x: 'epoch', format: (value) => percent(value, 1), dots: true })]),
    ...overSteps('lr', { title: 'Learning rate', format: rate }),
    ...overSteps('images_per_second', { title: 'Images per second' }),
    ...overSteps('wait_share', { title: 'Share of time spent waiting for data', format: (value) => `${Number((value * 100).toPrecision(2))}%` }),
  ]
}

function evaluationCurves(run: RunRecord, several: boolean): Curve[] {
  const labels = run.evaluations.map((line) => `${String(line['name'])} ${String(line['figure'])}`)
  return [...new Set(labels)].map((label) => ({
    name: several ? `${run.name}: ${label}` : label,
    points: run.evaluations.filter((_, i) => labels[i] === label).map((line) => [line.epoch, figure(line, 'value')] as const),
  }))
}

function configuration(run: RunRecord): string {
  if (run.config === undefined) return `<p class="soft">${escaped(run.name)}: the folder holds no config.yaml.</p>`
  return `<details><summary>${escaped(run.name)}</summary><pre tabindex="0">${escaped(run.config)}</pre></details>`
}
