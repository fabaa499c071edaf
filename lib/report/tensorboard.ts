/**
 * Writes a run's figures as TensorBoard event files.
 * @module
 */
import type { RunListener } from '../training/events.js'
import { EventFile } from './event-file.js'

/** Earlier files in the folder stay; those of a resumed run go on where its checkpoint was written. */
export function tensorboardListener(folder: string): RunListener {
  let file: EventFile | undefined
  return {
    onStart(plan) {
      file = new EventFile(folder)
      if (plan.resumedFrom !== undefined) file.restart(plan.step + 1)
    },
    onStep(report) {
      file?.scalars(report.step, {
        'train/loss': report.loss,
        'train/lr': report.lr,
        'speed/images_per_second': report.imagesPerSecond,
        'speed/data_wait_share': report.waitShare,
      })
    },
    onEpoch(report) {
      file?.scalars(report.step, { 'epoch/loss': report.loss, 'epoch/images_per_second': report.imagesPerSecond, 'epoch/bad_images': report.badImages })
    },
    onEvaluation(report) {
      file?.scalars(report.step, { [`evaluation/${report.name}/accuracy`]: report.accuracy, [`evaluation/${report.name}/std`]: report.std })
    },
    onEnd() {
      file?.close()
      file = undefined
    },
  }
}
