/**
 * What a prepared run will do, in figures: learning rate, memory, and which part computes in which type. Nothing here
 * runs a step.
 * @module
 */
import { runMemory, type RunMemory } from './memory.js'
import { precisionOf, type PrecisionRow } from './precision.js'
import type { PreparedRun } from './prepare.js'

export interface RunDetails {
  /** Rates at the first step, where warm-up ends, and at the first step of some epochs. */
  readonly learningRates: readonly { readonly epoch: number; readonly lr: number }[]
  readonly memory: RunMemory
  readonly precision: readonly PrecisionRow[]
}

/** Lines of the schedule that are shown at most. */
const SHOWN_RATES = 8

export function explainRun(run: PreparedRun): RunDetails {
  return { learningRates: shownRates(run), memory: runMemory({ ...run, input: run.model.preprocessing, ranks: run.peers.size }, run.device), precision: precisionOf(run) }
}

/** Epochs that begin at another rate than the one before, thinned out evenly. */
function shownRates({ config, learningRate, stepsPerEpoch }: PreparedRun): RunDetails['learningRates'] {
  const all = Array.from({ length: config.epochs }, (_, epoch) => ({ epoch: epoch + 1, lr: learningRate(epoch * stepsPerEpoch) }))
  const changes = all.filter(({ lr }, i) => i === 0 || lr !== all[i - 1]!.lr)
  const every = Math.ceil((changes.length - 1) / (SHOWN_RATES - 1)) || 1
  return changes.filter((_, i) => i % every === 0 || i === changes.length - 1)
}
