/**
 * The figures of a run as JSON lines: one object a line, told apart by `event` (start, step, epoch, evaluation,
 * checkpoint, end), each with step and epoch. Keys are snake_case, as in the configuration.
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { messageOf } from '../errors.js'
import type { RunListener } from '../training/events.js'

/** Appends to `file`. Where a run goes on from a checkpoint, what was written after that checkpoint is taken out first. */
export function metricsListener(file: string): RunListener {
  const write = (event: string, values: object) => appendFileSync(file, `${JSON.stringify({ event, time: new Date().toISOString(), ...snakeCase(values) })}\n`)
  return {
    onStart(plan) {
      mkdirSync(path.dirname(file), { recursive: true })
      if (plan.resumedFrom !== undefined && existsSync(file)) forgetAfter(file, plan.step)
      write('start', plan)
    },
    onStep: (report) => write('step', report),
    onEpoch: (report) => write('epoch', report),
    onEvaluation: (report) => write('evaluation', report),
    onCheckpoint: (report) => write('checkpoint', report),
    onMessage: (message) => {
      if (message.level === 'warning') write('warning', message)
    },
    onEnd: ({ error, evaluations: _written, ...end }) => write('end', { ...end, ...(error !== undefined && { error: messageOf(error) }) }),
  }
}

/** Rewrites the file without the lines of later steps, and without a last line that was cut off. */
function forgetAfter(file: string, step: number): void {
  const lines = readFileSync(file, 'utf8').split('\n')
  const kept = lines.filter((line) => {
    try {
      return ((JSON.parse(line) as { step?: number }).step ?? 0) <= step
    } catch {
      return false
    }
  })
  writeFileSync(`${file}.part`, kept.map((line) => `${line}\n`).join(''))
  renameSync(`${file}.part`, file)
}

function snakeCase(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]))
}
