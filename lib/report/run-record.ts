/**
 * A finished or running run as its folder tells it: the lines of metrics.jsonl and the resolved configuration.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError } from '../errors.js'
import { readEvaluations, type StoredEvaluation } from './evaluations/record.js'

/** A line of metrics.jsonl; which figures it has depends on `event`. */
export interface MetricsLine {
  readonly event: string
  readonly time: string
  readonly step: number
  readonly epoch: number
  readonly [figure: string]: unknown
}

export interface RunRecord {
  /** Folder name, or as much of the path as tells runs apart. */
  readonly name: string
  readonly folder: string
  /** The first line: network, head, data, device. */
  readonly start: MetricsLine
  readonly steps: readonly MetricsLine[]
  readonly evaluations: readonly MetricsLine[]
  /** The last evaluation of each test set in full. */
  readonly records: readonly StoredEvaluation[]
  readonly end: MetricsLine | undefined
  /** Text of config.yaml. */
  readonly config: string | undefined
}

/**
 * @param folders run folders
 * @throws FacexError ERR_DATA for a folder that holds no run
 */
export async function readRuns(folders: readonly string[]): Promise<RunRecord[]> {
  const names = folders.map((folder) => path.basename(path.resolve(folder)))
  const unique = (name: string) => names.indexOf(name) === names.lastIndexOf(name)
  return Promise.all(folders.map((folder, i) => readRun(folder, unique(names[i]!) ? names[i]! : folder)))
}

async function readRun(folder: string, name: string): Promise<RunRecord> {
  const file = path.join(folder, 'metrics.jsonl')
  if (!existsSync(file)) throw new FacexError('ERR_DATA', `${folder}: expected a run folder with metrics.jsonl, found none`)
  const lines = parseLines(readFileSync(file, 'utf8'))
  const start = lines.find((line) => line.event === 'start')
  if (start === undefined) throw new FacexError('ERR_DATA', `${file}: expected a line with event "start", found none`)
  const config = path.join(folder, 'config.yaml')
  return {
    name,
    folder,
    start,
    steps: lines.filter((line) => line.event === 'step'),
    evaluations: lines.filter((line) => line.event === 'evaluation'),
    records: await readEvaluations(folder),
    end: lines.findLast((line) => line.event === 'end'),
    config: existsSync(config) ? readFileSync(config, 'utf8') : undefined,
  }
}

/** A run that goes on may have a last line that is not complete yet. */
function parseLines(text: string): MetricsLine[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as MetricsLine]
    } catch {
      return []
    }
  })
}

/** The last evaluation of each pair list. */
export function lastEvaluations(run: RunRecord): MetricsLine[] {
  return [...new Map(run.evaluations.map((line) => [String(line['name']), line])).values()]
}

/** A figure of a line as a number. */
export function figure(line: MetricsLine, key: string): number {
  return Number(line[key])
}
