/** Where a run stands, from the number of finished steps alone. @module */
import type { Position } from './events.js'

export interface RunLength {
  readonly stepsPerEpoch: number
  readonly epochs: number
}

export function positionAt(step: number, { stepsPerEpoch, epochs }: RunLength): Position {
  return { step, steps: stepsPerEpoch * epochs, epoch: Math.max(1, Math.ceil(step / stepsPerEpoch)), epochs }
}

/** Whether an epoch has just ended. */
export function isEpochEnd(step: number, { stepsPerEpoch }: RunLength): boolean {
  return step > 0 && step % stepsPerEpoch === 0
}
