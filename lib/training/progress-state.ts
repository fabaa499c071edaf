/**
 * What a run remembers besides tensors and the trainer's counters: evaluations, the best score, patience. Plain data,
 * stored in every checkpoint.
 * @module
 */
import { z } from 'zod'

export const progressStateSchema = z.object({
  /** Epochs whose evaluation is done, so that a run interrupted before it catches up. */
  evaluatedEpochs: z.int().min(0).default(0),
  /** Highest figure so far on the test set that chooses. */
  best: z.number().optional(),
  /** Evaluations since then. */
  evaluationsSinceBest: z.int().min(0).default(0),
  /** Wall-clock seconds of all processes that have worked on the run. */
  seconds: z.number().min(0).default(0),
})

export type ProgressState = z.output<typeof progressStateSchema>

export function initialProgress(): ProgressState {
  return progressStateSchema.parse({})
}

/** The state after an evaluation; `minDelta` is what counts as improvement for early stopping. */
export function afterEvaluation(state: ProgressState, value: number, minDelta: number): ProgressState {
  const best = state.best ?? Number.NEGATIVE_INFINITY
  const evaluationsSinceBest = value > best + minDelta ? 0 : state.evaluationsSinceBest + 1
  return { ...state, best: Math.max(best, value), evaluationsSinceBest }
}
