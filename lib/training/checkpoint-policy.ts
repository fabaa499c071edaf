/** Which checkpoints of a run folder stay. Knows names and numbers; files are the business of `run-folder.ts`. @module */
import type { RunConfig } from '../config/run.js'

export type CheckpointPolicy = RunConfig['checkpoint']

const PATTERN = /^step-(\d{9,})\.safetensors$/

/** `step-000001200.safetensors`: names sort as their steps do. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.safetensors`
}

/** Steps of the checkpoints among `names`, ascending; other files are left out. */
export function checkpointSteps(names: readonly string[]): number[] {
  return names.flatMap((name) => PATTERN.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)
}

/** The steps, of those in `steps`, whose checkpoints may go: not among the newest and not kept for good. */
export function stepsToDelete(steps: readonly number[], policy: CheckpointPolicy, stepsPerEpoch: number): number[] {
  const keepInterval = policy.keep_every_epochs === undefined ? undefined : policy.keep_every_epochs * stepsPerEpoch
  return steps
    .toSorted((a, b) => b - a)
    .slice(policy.keep_last)
    .filter((step) => keepInterval === undefined || step % keepInterval !== 0)
}

/** Whether a checkpoint is due after the step that made it `step`. */
export function isCheckpointDue(step: number, minutesSinceLast: number, policy: CheckpointPolicy, stepsPerEpoch: number): boolean {
  if (step % (policy.every_epochs * stepsPerEpoch) === 0) return true
  if (policy.every_steps !== undefined && step % policy.every_steps === 0) return true
  return policy.every_minutes !== undefined && minutesSinceLast >= policy.every_minutes
}
