/**
 * What a run tells the world while it goes on, and the listener that progress bars, log files, TensorBoard writers and
 * users of the API implement. All methods are optional: a listener is a plain object with the ones it wants.
 *
 * Listeners are called in order on the JavaScript thread, never from the training thread. An asynchronous listener is
 * not awaited: it queues its own writes and finishes them in `onEnd`, which is.
 * @module
 */
import type { ProtocolResult } from '../evaluation/protocols/protocol.js'
import type { RunExamples } from './examples.js'

/** Where a run stands. Part of every event. */
export interface Position {
  /** Optimizer steps finished since the start of training, resumes included. */
  readonly step: number
  /** Optimizer steps of the whole run. */
  readonly steps: number
  /** Epochs begun, from 1: the one that is running or has just ended. */
  readonly epoch: number
  readonly epochs: number
}

/** Everything that is known before the first step. */
export interface RunPlan extends Position {
  /** The run folder; undefined for a run that writes nothing. */
  readonly folder: string | undefined
  readonly mode: string
  readonly backbone: string
  readonly head: string
  readonly device: string
  readonly precision: string
  readonly samples: number
  readonly classes: number
  /** Samples of one optimizer step, gradient accumulation included. */
  readonly batchSize: number
  readonly stepsPerEpoch: number
  /** Trainable parameters of the backbone, and multiply-adds for one image. */
  readonly parameters: number
  readonly macs: number
  /** Checkpoint that the run continues from. */
  readonly resumedFrom?: string
  /** What a reader of the results must know about the data, such as that it is synthetic. */
  readonly notes?: readonly string[]
  /** Where in the run's own data the model can be tried. */
  readonly examples?: RunExamples
}

/** Averages over the steps since the previous report of the same kind. */
export interface StepReport extends Position {
  readonly loss: number
  /** Learning rate of the last step. */
  readonly lr: number
  readonly imagesPerSecond: number
  /** Share of the time that the training thread waited for images, 0 to 1. */
  readonly waitShare: number
  /** Seconds that the remaining steps will take at the present speed. */
  readonly etaSeconds: number
}

export interface EpochReport extends Position {
  /** Mean over the steps of the epoch that ran in this process. */
  readonly loss: number
  readonly imagesPerSecond: number
  readonly waitShare: number
  readonly seconds: number
  /** Images replaced because they did not decode (`on_bad_image: skip`). */
  readonly badImages: number
}

export interface EvaluationReport extends Position {
  /** Name of the test set. */
  readonly name: string
  /** The figure that stands for the result, such as `accuracy` or `rank-1`, and its value, 0 to 1. */
  readonly figure: string
  readonly value: number
  /** Of pairs of images: mean accuracy over the folds and their spread, 0 to 1, and how they came about. */
  readonly accuracy?: number
  readonly std?: number
  readonly rule?: string
  readonly folds?: number
  readonly pairs?: number
  /** Mean of the folds' thresholds, in the units of the rule. */
  readonly threshold?: number
  readonly seconds: number
  /** Best of the run so far on the set that chooses the best checkpoint. */
  readonly best: boolean
}

/** The whole result of an evaluation: every figure and, where there are pairs, their scores and images. */
export type EvaluationDetails = ProtocolResult

export interface CheckpointReport extends Position {
  readonly path: string
  /** From the request until the file is safe on the disk. */
  readonly seconds: number
  /** Seconds that training waited; the rest was written while it went on. */
  readonly pause: number
  /** Also kept as the best one. */
  readonly best: boolean
}

export interface Message {
  readonly level: 'info' | 'warning'
  readonly text: string
}

export interface RunEnd extends Position {
  readonly reason: 'finished' | 'interrupted' | 'failed'
  readonly folder: string | undefined
  /** Wall-clock seconds of this process's part of the run. */
  readonly seconds: number
  /** Loss of the last step report; undefined when no step ran. */
  readonly loss: number | undefined
  /** Checkpoint to go on with or to use; undefined when none was written. */
  readonly checkpoint: string | undefined
  /** Last evaluation of each test set. */
  readonly evaluations: readonly EvaluationReport[]
  readonly error?: unknown
}

export interface RunListener {
  onStart?(plan: RunPlan): void
  /** Several times a second: for progress bars. */
  onProgress?(report: StepReport): void
  /** Every `log.every` steps and at the end of an epoch: for log lines and metrics. */
  onStep?(report: StepReport): void
  onEpoch?(report: EpochReport): void
  onEvaluation?(report: EvaluationReport, details?: EvaluationDetails): void
  onCheckpoint?(report: CheckpointReport): void
  onMessage?(message: Message): void
  onEnd?(end: RunEnd): void | Promise<void>
}

/** One listener that calls all the given ones in order. */
export function combineListeners(listeners: readonly RunListener[]): Required<RunListener> {
  return {
    onStart: (plan) => listeners.forEach((listener) => listener.onStart?.(plan)),
    onProgress: (report) => listeners.forEach((listener) => listener.onProgress?.(report)),
    onStep: (report) => listeners.forEach((listener) => listener.onStep?.(report)),
    onEpoch: (report) => listeners.forEach((listener) => listener.onEpoch?.(report)),
    onEvaluation: (report, details) => listeners.forEach((listener) => listener.onEvaluation?.(report, details)),
    onCheckpoint: (report) => listeners.forEach((listener) => listener.onCheckpoint?.(report)),
    onMessage: (message) => listeners.forEach((listener) => listener.onMessage?.(message)),
    onEnd: async (end) => {
      for (const listener of listeners) await listener.onEnd?.(end)
    },
  }
}
