/**
 * Keeps what a run finds out about itself: the record of each evaluation in its folder, for reports.
 * @module
 */
import type { RunListener } from '../../training/events.js'
import { writeEvaluation } from './record.js'

/** Pictures take a moment; training does not wait for them, the end of the run does. */
export function evaluationListener(folder: string): RunListener {
  let written: Promise<unknown> = Promise.resolve()
  return {
    onEvaluation({ step, epoch }, result) {
      if (result === undefined) return
      written = written.then(() => writeEvaluation(folder, result, { step, epoch }))
      written.catch(() => undefined) // told at the end
    },
    async onEnd() {
      await written
    },
  }
}
