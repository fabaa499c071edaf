/**
 * Runs as a table: a row a run, what was trained and how well it does.
 * @module
 */
import { figure, lastEvaluations, type MetricsLine, type RunRecord } from './run-record.js'
import { count, duration, loss, percent, speed } from './wording.js'

export interface RunTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The last columns are the pair lists that any of the runs was evaluated on. */
export function runTable(runs: readonly RunRecord[]): RunTable {
  const sets = [...new Set(runs.flatMap((run) => lastEvaluations(run).map((line) => String(line['name']))))]
  return {
    head: ['run', 'network', 'head', 'data', 'steps', 'loss', 'images/s', 'time', ...sets],
    rows: runs.map((run) => {
      const last = run.steps.at(-1)
      const results = new Map(lastEvaluations(run).map((line) => [line['name'], line]))
      return [
        run.name,
        String(run.start['backbone']),
        String(run.start['head']),
        `${count(figure(run.start, 'samples'))} images, ${count(figure(run.start, 'classes'))} identities`,
        `${count(last?.step ?? 0)} of ${count(figure(run.start, 'steps'))}`,
        last === undefined ? '-' : loss(figure(last, 'loss')),
        last === undefined ? '-' : speed(figure(last, 'images_per_second')),
        run.end === undefined ? '-' : duration(figure(run.end, 'seconds')),
        ...sets.map((set) => accuracy(results.get(set))),
      ]
    }),
  }
}

function accuracy(line: MetricsLine | undefined): string {
  if (line === undefined) return '-'
  return `${percent(figure(line, 'accuracy'))} \u00b1 ${percent(figure(line, 'std'))} (${String(line['rule'])}, ${figure(line, 'folds')} folds, ${count(figure(line, 'pairs'))} pairs)`
}

export function markdown({ head, rows }: RunTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
