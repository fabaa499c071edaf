/**
 * Runs as a table: a row a run, what was trained, what it costs and how well it does. Test sets of the usual tables come
 * first and in their order.
 * @module
 */
import { headline, type Headline } from '../evaluation/headline.js'
import { figure, lastEvaluations, type RunRecord } from './run-record.js'
import { count, duration, loss, magnitude, percent, speed } from './wording.js'

export interface RunTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a run reached on one test set. */
interface Result {
  /** Column. */
  readonly set: string
  /** 0 to 1. */
  readonly value: number
  /** How the value came about, as far as it must be known to compare. */
  readonly how: string
}

const USUAL = ['LFW', 'CPLFW', 'CALFW', 'AgeDB30', 'CFP_FF', 'CFP_FP', 'RFW_African', 'RFW_Asian', 'RFW_Caucasian', 'RFW_Indian', 'MegaFace rank-1']

/** Everything about the runs; the last columns are the test sets that any of them was evaluated on. */
export function runTable(runs: readonly RunRecord[]): RunTable {
  const results = runs.map(resultsOf)
  const sets = columnsOf(results)
  return {
    head: ['run', 'network', 'params', 'MACs', 'head', 'data', 'steps', 'loss', 'images/s', 'time', ...sets],
    rows: runs.map((run, i) => {
      const last = run.steps.at(-1)
      return [
        run.name,
        String(run.start['backbone']),
        size(run, 'parameters'),
        size(run, 'macs'),
        String(run.start['head']),
        `${count(figure(run.start, 'samples'))} images, ${count(figure(run.start, 'classes'))} identities`,
        `${count(Math.max(last?.step ?? 0, run.end?.step ?? 0))} of ${count(figure(run.start, 'steps'))}`,
        last === undefined ? '-' : loss(figure(last, 'loss')),
        last === undefined ? '-' : speed(figure(last, 'images_per_second')),
        run.end === undefined ? '-' : duration(figure(run.end, 'seconds')),
        ...sets.map((set) => cell(results[i]!.get(set))),
      ]
    }),
  }
}

/** The form of published tables: network and head, accuracies in percent, parameters and multiply-adds. */
export function publishedTable(runs: readonly RunRecord[]): RunTable {
  const results = runs.map(resultsOf)
  const sets = columnsOf(results)
  return {
    head: ['backbone', 'head', ...sets, 'params', 'MACs'],
    rows: runs.map((run, i) => [
      String(run.start['backbone']),
      String(run.start['head']),
      ...sets.map((set) => (results[i]!.has(set) ? (results[i]!.get(set)!.value * 100).toFixed(2) : '-')),
      size(run, 'parameters'),
      size(run, 'macs'),
    ]),
  }
}

/** The last evaluation of each set while training, and those made later, which take their place. */
function resultsOf(run: RunRecord): Map<string, Result> {
  const trained = lastEvaluations(run).map((line) => resultOf(String(line['name']), { figure: String(line['figure']), value: figure(line, 'value') }, line))
  const recorded = run.records.map(({ name, figures }) => resultOf(name, headline(figures), figures))
  return new Map([...trained, ...recorded].map((result) => [result.set, result]))
}

function resultOf(name: string, { figure: what, value }: Headline, values: Readonly<Record<string, unknown>>): Result {
  if (what === 'accuracy') return { set: name, value, how: accuracyHow(values) }
  return { set: `${name} ${what}`, value, how: values['flip'] === undefined ? '' : `mirror images ${values['flip'] === true ? 'added' : 'not used'}` }
}

function accuracyHow(values: Readonly<Record<string, unknown>>): string {
  return `\u00b1 ${percent(Number(values['std']))} (${String(values['rule'])}, ${Number(values['folds'])} folds, ${count(Number(values['pairs']))} pairs)`
}

function columnsOf(results: readonly ReadonlyMap<string, Result>[]): string[] {
  const names = [...new Set(results.flatMap((row) => [...row.keys()]))]
  const place = (name: string) => (USUAL.includes(name) ? USUAL.indexOf(name) : USUAL.length)
  return names.sort((a, b) => place(a) - place(b))
}

function cell(result: Result | undefined): string {
  return result === undefined ? '-' : `${percent(result.value)} ${result.how}`
}

function size(run: RunRecord, key: string): string {
  return run.start[key] === undefined ? '-' : magnitude(figure(run.start, key))
}

export function markdown({ head, rows }: RunTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
