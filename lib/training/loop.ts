/**
 * The run loop: hands stretches of steps to the training thread and does what is due between them. It knows steps,
 * epochs and events; what a step does is the mode's program, what an event shows is the listeners' business.
 * @module
 */
import type { ErrorCode } from '../errors.js'
import { FacexError } from '../errors.js'
import type { CheckpointStore } from '../model/checkpoint-store.js'
import type { NativeProgress } from '../native.js'
import { stepsToBoundary } from './boundaries.js'
import { isCheckpointDue } from './checkpoint-policy.js'
import { CheckpointWriter } from './checkpoint-writer.js'
import { reportOf, type Evaluate } from './evaluate.js'
import type { EvaluationReport, Position, RunListener, StepReport } from './events.js'
import { Meter } from './meter.js'
import { isEpochEnd, positionAt } from './position.js'
import type { PreparedRun } from './prepare.js'
import { afterEvaluation, type ProgressState } from './progress-state.js'
import { learningRates } from './schedules/schedule.js'
import { scoringSet, takeSnapshot } from './snapshot.js'

export interface LoopOptions {
  readonly run: PreparedRun
  /** State of the run so far: fresh, or from a checkpoint. */
  readonly progress: ProgressState
  /** Undefined: nothing is written. */
  readonly checkpoints: CheckpointStore | undefined
  /** Undefined: nothing is evaluated. */
  readonly evaluate: Evaluate | undefined
  readonly listener: Required<RunListener>
  readonly signal: AbortSignal
}

export interface LoopEnd {
  readonly reason: 'finished' | 'interrupted'
  readonly step: number
  readonly loss: number | undefined
  readonly checkpoint: string | undefined
  readonly evaluations: readonly EvaluationReport[]
}

const PROGRESS_MS = 200

function elapsed(since: number): number {
  return (performance.now() - since) / 1000
}

export class TrainingLoop {
  readonly #options: LoopOptions
  readonly #run: PreparedRun
  readonly #begun = performance.now()
  #progress: ProgressState
  #step: number
  #log = new Meter()
  #epoch = new Meter()
  #badImages = 0
  #evaluations = new Map<string, EvaluationReport>()
  #lastReport: StepReport | undefined
  #checkpoint: string | undefined
  /** Step of the last checkpoint that this process asked for. */
  #savedStep: number | undefined
  #checkpointTime = performance.now()
  #stopEarly = false
  readonly #writer: CheckpointWriter | undefined
  /** Whether any rank has been asked to end. */
  #interrupted = false

  constructor(options: LoopOptions) {
    this.#options = options
    this.#run = options.run
    this.#progress = options.progress
    this.#step = options.run.trainer.counters()['step']!
    this.#writer = options.checkpoints && new CheckpointWriter(options.checkpoints)
  }

  /** Trains to the end, or until the signal aborts; a checkpoint stands for the last step in both cases. */
  async train(): Promise<LoopEnd> {
    const { signal } = this.#options
    const stop = () => this.#run.trainer.stop()
    signal.addEventListener('abort', stop)
    try {
      await this.#agree()
      await this.#evaluateIfDue()
      while (this.#step < this.#position.steps && !this.#interrupted && !this.#stopEarly) {
        await this.#trainEpoch()
        if (isEpochEnd(this.#step, this.#length)) await this.#endEpoch()
        await this.#agree()
      }
      if (this.#savedStep !== this.#step) await this.#save()
      await this.#writer?.settle()
      this.#checkpoint = (await this.#run.peers.fromLead(() => this.#checkpoint ?? null)) ?? undefined
    } finally {
      signal.removeEventListener('abort', stop)
      // After another failure, too: the run folder is let go only when nothing is written to it any more.
      await this.#writer?.settle().catch(() => {})
    }
    const reason = this.#interrupted ? 'interrupted' : 'finished'
    return { reason, step: this.#step, loss: this.#lastReport?.loss, checkpoint: this.#checkpoint, evaluations: [...this.#evaluations.values()] }
  }

  /** The rest of the epoch in which the run stands. */
  async #trainEpoch(): Promise<void> {
    const { config, loader, plan, stepsPerEpoch } = this.#run
    const epoch = Math.floor(this.#step / stepsPerEpoch)
    const order = plan.order.order(epoch)
    loader.begin(order, epoch, (this.#step % stepsPerEpoch) * config.accumulate)
    this.#epoch = new Meter()
    this.#badImages = 0
    do {
      const count = stepsToBoundary(this.#step, [stepsPerEpoch, config.log.every, config.checkpoint.every_steps])
      await this.#trainSteps(count, order)
      if (this.#writer?.failed === true) await this.#writer.settle()
      this.#logIfDue()
      const minutes = (performance.now() - this.#checkpointTime) / 60_000
      const due = await this.#agree(isCheckpointDue(this.#step, minutes, config.checkpoint, stepsPerEpoch))
      if (due && !isEpochEnd(this.#step, this.#length)) await this.#save()
    } while (!isEpochEnd(this.#step, this.#length) && !this.#interrupted)
  }

  async #trainSteps(count: number, order: Uint32Array): Promise<void> {
    const { loader, trainer, learningRate } = this.#run
    const rates = learningRates(learningRate, this.#step, count)
    const ahead = new Meter()
    try {
      const running = trainer.run({ loader, lr: rates, progressMs: PROGRESS_MS }, (progress) => this.#onProgress(progress, ahead))
      if (this.#options.signal.aborted) trainer.stop()
      this.#step += (await running).steps
    } catch (error) {
      throw this.#explained(error, order)
    }
  }

  /** Ranks do the same thing next: they end when one is asked to or has seen enough, and save when for one it is time. */
  async #agree(save = false): Promise<boolean> {
    const [interrupted, enough, due] = await this.#run.peers.agree([this.#options.signal.aborted, this.#stopEarly, save])
    this.#interrupted = interrupted!
    this.#stopEarly = enough!
    return due!
  }

  #onProgress(progress: NativeProgress, ahead: Meter): void {
    this.#log.add(progress)
    this.#epoch.add(progress)
    ahead.add(progress)
    this.#options.listener.onProgress(ahead.report(positionAt(progress.step, this.#length)))
  }

  #logIfDue(): void {
    const due = this.#step % this.#run.config.log.every === 0 || isEpochEnd(this.#step, this.#length)
    if (!due || this.#log.steps === 0) return
    this.#lastReport = this.#log.report(this.#position)
    this.#log = new Meter()
    this.#options.listener.onStep(this.#lastReport)
    this.#reportBadImages()
  }

  #reportBadImages(): void {
    for (const { path, reason } of this.#run.loader.takeBadImages()) {
      this.#badImages++
      this.#options.listener.onMessage({ level: 'warning', text: `${path}: ${reason}; another image takes its place` })
    }
  }

  async #endEpoch(): Promise<void> {
    const { loss, imagesPerSecond, waitShare } = this.#epoch.report(this.#position)
    // Each rank has seen its part of every batch.
    const counts = await this.#run.peers.exchange(String(this.#badImages))
    const badImages = counts.reduce((sum, count) => sum + Number(count), 0)
    this.#options.listener.onEpoch({ ...this.#position, loss, imagesPerSecond, waitShare, seconds: this.#epoch.seconds, badImages })
    await this.#evaluateIfDue()
    const due = isCheckpointDue(this.#step, 0, this.#run.config.checkpoint, this.#run.stepsPerEpoch)
    if (due || this.#step === this.#position.steps) await this.#save()
  }

  /** At the end of an epoch, also of one that an earlier process ended without evaluating it. */
  async #evaluateIfDue(): Promise<void> {
    const { evaluate, listener, signal } = this.#options
    const { config } = this.#run
    if (evaluate === undefined || this.#interrupted || !isEpochEnd(this.#step, this.#length)) return
    const { epoch, epochs } = this.#position
    if (this.#progress.evaluatedEpochs >= epoch || (epoch % config.evaluation.every !== 0 && epoch !== epochs)) return
    const results = await evaluate(signal).catch((error: unknown) => {
      if ((error as { code?: ErrorCode }).code === 'ERR_ABORTED') return undefined
      throw error
    })
    if (results === undefined) return
    const previousBest = this.#progress.best ?? Number.NEGATIVE_INFINITY
    for (const result of results) {
      const chooses = result.name === scoringSet(config)
      const report = reportOf(result, this.#position, (value) => chooses && value > previousBest)
      this.#evaluations.set(report.name, report)
      listener.onEvaluation(report, result)
      if (chooses) this.#progress = afterEvaluation(this.#progress, report.value, config.early_stopping?.min_delta ?? 0)
    }
    this.#progress = { ...this.#progress, evaluatedEpochs: epoch }
    const patience = config.early_stopping?.patience
    if (patience !== undefined && this.#progress.evaluationsSinceBest >= patience && epoch < epochs) {
      this.#stopEarly = true
      listener.onMessage({ level: 'info', text: `early stopping: ${patience} evaluations without improvement over ${(100 * this.#progress.best!).toFixed(2)}%` })
    }
  }

  /** Training waits for the copy of its state, and for the checkpoint before where that is still being written, or for all of it. */
  async #save(): Promise<void> {
    const { listener } = this.#options
    const { config, peers, trainer } = this.#run
    this.#checkpointTime = performance.now()
    this.#savedStep = this.#step
    if (this.#writer === undefined) return
    const started = performance.now()
    await this.#writer.settle()
    const seconds = this.#options.progress.seconds + (started - this.#begun) / 1000
    const evaluations = [...this.#evaluations.values()].filter((report) => report.step === this.#step)
    const snapshot = await takeSnapshot(this.#run, { ...this.#progress, seconds }, evaluations)
    const position = this.#position
    const copied = elapsed(started)
    const whileTraining = config.checkpoint.while_training
    // Rank 0 alone holds the whole state, and writes it.
    if (!peers.leads) return trainer.releaseState(snapshot.tensors, !whileTraining)
    this.#writer.begin(snapshot, {
      saved: ({ path, best, messages }) => {
        this.#checkpoint = path
        for (const text of messages) listener.onMessage({ level: 'warning', text })
        const total = elapsed(started)
        listener.onCheckpoint({ ...position, path, seconds: total, pause: whileTraining ? copied : total, best })
      },
      done: () => trainer.releaseState(snapshot.tensors, !whileTraining),
    })
    if (!whileTraining) await this.#writer.settle()
  }

  /** An error of the training thread with what only this side knows: epoch, batch and the images in it. */
  #explained(error: unknown, order: Uint32Array): unknown {
    const code = (error as { code?: ErrorCode }).code
    if (code !== 'ERR_NON_FINITE') return error
    const { config, dataset, plan, stepsPerEpoch, trainer } = this.#run
    const inEpoch = trainer.counters()['step']! % stepsPerEpoch
    const images = config.batch_size * config.accumulate * plan.order.views
    const indices = [...order.subarray(inEpoch * images, (inEpoch + 1) * images)].sort((a, b) => a - b)
    const shown = dataset.describe(indices.slice(0, 3)).join(', ')
    const place = `epoch ${Math.floor(this.#step / stepsPerEpoch) + 1}, batch ${inEpoch + 1} of ${stepsPerEpoch} (${shown}${indices.length > 3 ? ` and ${indices.length - 3} more` : ''})`
    return new FacexError(code, `${(error as Error).message}; ${place}`, { cause: error })
  }

  get #length(): { stepsPerEpoch: number; epochs: number } {
    return { stepsPerEpoch: this.#run.stepsPerEpoch, epochs: this.#run.config.epochs }
  }

  get #position(): Position {
    return positionAt(this.#step, this.#length)
  }
}
