/**
 * One self-contained HTML page about a run, or several compared: figures, curves, configurations. It loads nothing.
 * @module
 */
import { figure, type RunRecord } from '../run-record.js'
import { runTable } from '../run-table.js'
import { percent, rate } from '../wording.js'
import { lineChart, type ChartOptions, type Curve } from './charts.js'

export function reportPage(runs: readonly RunRecord[]): string {
  const title = runs.length === 1 ? `Run ${runs[0]!.name}` : `${runs.length} runs compared`
  const notes = [...new Set(runs.flatMap((run) => (run.start['notes'] as string[] | undefined) ?? []))]
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)} - facex</title><style>${STYLE}</style></head>
<body>
<h1>${escaped(title)}</h1>
${notes.map((note) => `<p class="note">${escaped(note)}</p>`).join('\n')}
${table(runs)}
<div class="charts">${charts(runs).map((svg) => `<figure>${svg}</figure>`).join('\n')}</div>
${runs.map(configuration).join('\n')}
</body>
</html>
`
}

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .35rem .8rem; text-align: left; border-bottom: 1px solid #ddd }
.charts { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; border: 1px solid #ddd; border-radius: 6px }
.note { background: #fff5d6; padding: .5rem .8rem; border-radius: 6px } pre { background: #f6f6f6; padding: 1rem; overflow: auto }`

function table(runs: readonly RunRecord[]): string {
  const { head, rows } = runTable(runs)
  const row = (cells: readonly string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${row(head, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`
}

function charts(runs: readonly RunRecord[]): string[] {
  const overSteps = (key: string, options: Omit<ChartOptions, 'x'>) =>
    lineChart(runs.map((run) => ({ name: run.name, points: run.steps.map((line) => [line.step, figure(line, key)] as const) })), { x: 'step', ...options })
  const evaluations = runs.flatMap(accuracyCurves)
  return [
    overSteps('loss', { title: 'Training loss' }),
    ...(evaluations.length === 0 ? [] : [lineChart(evaluations, { title: 'Verification accuracy', x: 'epoch', format: (value) => percent(value, 1), dots: true })]),
    overSteps('lr', { title: 'Learning rate', format: rate }),
    overSteps('images_per_second', { title: 'Images per second' }),
    overSteps('wait_share', { title: 'Share of time spent waiting for data', format: (value) => percent(value, 0) }),
  ]
}

function accuracyCurves(run: RunRecord): Curve[] {
  const names = [...new Set(run.evaluations.map((line) => String(line['name'])))]
  return names.map((name) => ({
    name: `${run.name}: ${name}`,
    points: run.evaluations.filter((line) => line['name'] === name).map((line) => [line.epoch, figure(line, 'accuracy')] as const),
  }))
}

function configuration(run: RunRecord): string {
  if (run.config === undefined) return ''
  return `<details><summary>Configuration of ${escaped(run.name)}</summary><pre>${escaped(run.config)}</pre></details>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
