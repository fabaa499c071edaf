/** Averages over steps: what the training thread reports in pieces becomes the numbers of one log line. @module */
import type { NativeProgress } from '../native.js'
import type { Position, StepReport } from './events.js'

/** Adds up progress until somebody asks for the mean. */
export class Meter {
  #steps = 0
  #finiteSteps = 0
  #loss = 0
  #images = 0
  #seconds = 0
  #waitSeconds = 0
  #lr = Number.NaN

  add(progress: NativeProgress): void {
    this.#steps += progress.steps
    this.#images += progress.images
    this.#seconds += progress.seconds
    this.#waitSeconds += progress.waitSeconds
    this.#lr = progress.lr
    if (Number.isFinite(progress.loss)) {
      this.#loss += progress.loss * progress.steps
      this.#finiteSteps += progress.steps
    }
  }

  get steps(): number {
    return this.#steps
  }

  get seconds(): number {
    return this.#seconds
  }

  /** Mean of everything added since the meter was made. */
  report(position: Position): StepReport {
    const secondsPerStep = this.#seconds / this.#steps
    return {
      ...position,
      loss: this.#loss / this.#finiteSteps,
      lr: this.#lr,
      imagesPerSecond: this.#images / this.#seconds,
      waitShare: this.#seconds > 0 ? Math.min(1, this.#waitSeconds / this.#seconds) : 0,
      etaSeconds: (position.steps - position.step) * secondsPerStep,
    }
  }
}
