/**
 * A run as lines of plain text: what the log file holds and what is printed where there is no terminal.
 * @module
 */
import { messageOf } from '../errors.js'
import type { Message, RunListener, RunPlan } from '../training/events.js'
import { epochLine, evaluationLine, startLines, stepLine } from './lines.js'
import { runSummary } from './summary.js'

/** Calls `write` with one line at a time. */
export function lineListener(write: (line: string, level: Message['level']) => void): RunListener {
  const info = (line: string) => write(line, 'info')
  let plan: RunPlan | undefined
  return {
    onStart(started) {
      plan = started
      startLines(started).forEach(info)
    },
    onStep: (report) => info(stepLine(report)),
    onEpoch: (report) => info(epochLine(report)),
    onEvaluation: (report) => info(evaluationLine(report)),
    onCheckpoint: (report) => info(`checkpoint ${report.path}${report.best ? ' (best so far)' : ''}`),
    onMessage: (message) => write(message.level === 'warning' ? `warning: ${message.text}` : message.text, message.level),
    onEnd(end) {
      if (end.error !== undefined) write(`failed: ${messageOf(end.error)}`, 'warning')
      runSummary(plan, end).forEach(info)
    },
  }
}
