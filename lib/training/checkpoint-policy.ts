/** When a run writes checkpoints; which of them stay is the business of `model/checkpoint-store.ts`. @module */
import type { RunConfig } from '../config/run.js'

export type CheckpointPolicy = RunConfig['checkpoint']

/** Whether a checkpoint is due after the step that made it `step`. */
export function isCheckpointDue(step: number, minutesSinceLast: number, policy: CheckpointPolicy, stepsPerEpoch: number): boolean {
  if (step % (policy.every_epochs * stepsPerEpoch) === 0) return true
  if (policy.every_steps !== undefined && step % policy.every_steps === 0) return true
  return policy.every_minutes !== undefined && minutesSinceLast >= policy.every_minutes
}
