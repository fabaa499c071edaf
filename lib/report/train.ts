/**
 * `train()` as users call it: a run with the reports of its folder.
 * @module
 */
import path from 'node:path'

import { resolveRun, type ResolvedRun } from '../config/resolve.js'
import type { RunConfigInput } from '../config/run.js'
import { combineListeners, type RunEnd, type RunListener, type StepReport } from '../training/events.js'
import { runTraining } from '../training/train.js'
import { folderListeners } from './run-folder.js'

export interface TrainOptions {
  /** Continue the run that `out_dir` holds; a folder without one starts afresh. @default false */
  readonly resume?: boolean
  /** Ends the run early, with a checkpoint; the result then says `interrupted`. */
  readonly signal?: AbortSignal
  /** Called several times a second. */
  readonly onProgress?: (report: StepReport) => void
  /** Further listeners, besides the log, metrics and TensorBoard events of the run folder. */
  readonly listeners?: readonly RunListener[]
}

/**
 * Trains what `config` describes and writes log, metrics and checkpoints to its run folder.
 *
 * Training runs on a native thread; the event loop stays free. One call trains one model; several may follow one
 * another in a process.
 * @param config the content of a configuration file as an object, or what `resolveRun` made of one
 * @returns how the run ended; a run that `signal` ended is `interrupted`, not an error
 * @throws FacexError ERR_CONFIG, ERR_DATA, ERR_GRAPH, ERR_CHECKPOINT, ERR_SETUP before the first step; ERR_LOCKED when
 * another process trains in the run folder; ERR_NON_FINITE, ERR_OUT_OF_MEMORY while training
 */
export async function train(config: RunConfigInput | ResolvedRun, options: TrainOptions = {}): Promise<RunEnd> {
  const resolved = 'source' in config ? config : resolveRun({ config })
  const { dir, tensorboard, tensorboard_dir } = resolved.config.log
  const own: RunListener = options.onProgress === undefined ? {} : { onProgress: options.onProgress }
  return runTraining(resolved, {
    resume: options.resume ?? false,
    signal: options.signal ?? new AbortController().signal,
    follower: combineListeners(options.listeners ?? []),
    listeners: (runFolder) => {
      const folder = dir ?? runFolder
      const places = tensorboard ? { folder, tensorboard: tensorboard_dir ?? path.join(folder, 'tensorboard') } : { folder }
      return [...folderListeners(places), ...(options.listeners ?? []), own]
    },
  })
}
