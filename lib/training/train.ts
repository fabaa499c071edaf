/**
 * A run from its configuration to its end. Everything that can be wrong is found before the first step.
 * @module
 */
import type { ResolvedRun } from '../config/resolve.js'
import { joinPeers, Peers } from '../distributed/peers.js'
import { worldOf } from '../distributed/world.js'
import { fromNative } from '../errors.js'
import type { NewestCheckpoint } from '../model/checkpoint-store.js'
import { readCheckpoint } from '../model/checkpoint.js'
import { agreeOnRun, agreeOnWeights } from './agreement.js'
import { combineListeners, type Message, type RunEnd, type RunListener, type RunPlan } from './events.js'
import { createEvaluate } from './evaluate.js'
import { examplesOf } from './examples.js'
import { explainRun, type RunDetails } from './explain.js'
import { PreparationWarnings } from './follower.js'
import { initialWeights } from './initial-weights.js'
import { TrainingLoop } from './loop.js'
import { positionAt } from './position.js'
import { prepareRun, type PreparedRun } from './prepare.js'
import { initialProgress, type ProgressState } from './progress-state.js'
import { openRunFolder, type RunFolder } from './run-folder.js'
import { restoreSnapshot } from './snapshot.js'

export interface RunOptions {
  /** Continue the run that `out_dir` holds; a folder without one starts afresh. */
  readonly resume: boolean
  /** Ends the run early, with a checkpoint; the result then says `interrupted`. */
  readonly signal: AbortSignal
  /** Makes the listeners once the run folder is the run's own. With several processes those of rank 0. */
  readonly listeners: (folder: string) => readonly RunListener[]
  /** What the other ranks say; warnings are all there is. */
  readonly follower?: RunListener
}

/**
 * Trains what a configuration describes and writes its checkpoints to the run folder.
 * @throws FacexError ERR_CONFIG, ERR_DATA, ERR_GRAPH, ERR_CHECKPOINT, ERR_SETUP before the first step; ERR_LOCKED when
 * another process trains in the run folder; ERR_DISTRIBUTED when another process of the run fails; ERR_NON_FINITE, ERR_OUT_OF_MEMORY while training
 */
export async function runTraining(resolved: ResolvedRun, options: RunOptions): Promise<RunEnd> {
  const peers = await joinPeers(worldOf(process.env), resolved.config.distributed)
  try {
    const folder = await openRunFolder(resolved.config, { ...options, owned: peers.leads })
    try {
      return await trainInFolder(resolved, folder, peers, options)
    } finally {
      folder.release()
    }
  } catch (thrown) {
    throw await peers.fail(fromNative(thrown))
  } finally {
    await peers.leave()
  }
}

async function trainInFolder(resolved: ResolvedRun, folder: RunFolder, peers: Peers, options: RunOptions): Promise<RunEnd> {
  const { config } = resolved
  const warnings = new PreparationWarnings(peers, options.follower)
  const listener = combineListeners([...(peers.leads ? options.listeners(folder.path) : []), { onMessage: (message) => warnings.hear(message) }])
  const begun = performance.now()
  const end = (rest: Pick<RunEnd, 'reason' | 'loss' | 'checkpoint' | 'evaluations' | 'error'>, step: number, stepsPerEpoch: number): RunEnd => ({
    ...positionAt(step, { stepsPerEpoch, epochs: config.epochs }),
    folder: folder.path,
    seconds: (performance.now() - begun) / 1000,
    ...rest,
  })
  let run: PreparedRun | undefined
  try {
    run = await prepareRun(resolved, listener.onMessage, peers)
    await agreeOnRun(run)
    const { progress, resumedFrom } = await initialState(run, folder, options.resume, listener)
    await agreeOnWeights(run)
    await warnings.settle()
    folder.saveConfig()
    listener.onStart(planOf(run, folder.path, resumedFrom))
    const loop = new TrainingLoop({
      run,
      progress,
      checkpoints: folder.checkpoints,
      evaluate: createEvaluate(run),
      listener,
      signal: options.signal,
    })
    const { step, ...rest } = await loop.train()
    const result = end(rest, step, run.stepsPerEpoch)
    await listener.onEnd(result)
    return result
  } catch (thrown) {
    const error = fromNative(thrown)
    warnings.abandon()
    await listener.onEnd(end({ reason: 'failed', loss: undefined, checkpoint: undefined, evaluations: [], error }, run?.trainer.counters()['step'] ?? 0, run?.stepsPerEpoch ?? 0))
    throw error
  } finally {
    run?.trainer.dispose()
    run?.loader.dispose()
  }
}

/** Fresh weights, given weights, or the newest good checkpoint of the folder. */
async function initialState(
  run: PreparedRun,
  folder: RunFolder,
  resume: boolean,
  listener: Required<RunListener>,
): Promise<{ progress: ProgressState; resumedFrom?: string }> {
  const newest = resume ? await newestOfRun(run.peers, folder) : undefined
  if (newest === undefined) {
    await initialWeights(run, listener.onMessage)
    if (resume) listener.onMessage({ level: 'info', text: `${folder.path} holds no checkpoint yet: starting from the beginning` })
    return { progress: initialProgress() }
  }
  for (const text of newest.messages) listener.onMessage({ level: 'warning', text: `${text}; the checkpoint before it is used` })
  return { progress: restoreSnapshot(run, newest.checkpoint, newest.path), resumedFrom: newest.path }
}

/** Rank 0 chooses; the others read the same file. */
async function newestOfRun(peers: Peers, { checkpoints }: RunFolder): Promise<NewestCheckpoint | undefined> {
  let found: NewestCheckpoint | undefined
  const chosen = await peers.fromLead(async () => {
    found = await checkpoints.newest()
    return found === undefined ? null : found.path
  })
  if (chosen === null) return undefined
  return found ?? { path: chosen, checkpoint: await readCheckpoint(chosen), messages: [] }
}

/**
 * Finds out everything that a run would do, without training and without a run folder: opens and validates the data,
 * builds model and trainer.
 * @throws what {@link runTraining} throws before its first step, a used run folder excepted
 */
export async function planTraining(resolved: ResolvedRun, onMessage: (message: Message) => void): Promise<{ plan: RunPlan; details: RunDetails }> {
  const run = await prepareRun(resolved, onMessage, new Peers(worldOf(process.env)))
  try {
    return { plan: planOf(run, undefined, undefined), details: explainRun(run) }
  } finally {
    run.trainer.dispose()
    run.loader.dispose()
  }
}

function planOf(run: PreparedRun, folder: string | undefined, resumedFrom: string | undefined): RunPlan {
  const { config, dataset, model, stepsPerEpoch } = run
  return {
    ...positionAt(run.trainer.counters()['step']!, { stepsPerEpoch, epochs: config.epochs }),
    folder,
    mode: config.mode.name,
    backbone: model.backbone.name,
    head: model.head.name,
    device: run.device,
    precision: config.precision,
    samples: dataset.size,
    classes: dataset.classCount,
    batchSize: config.batch_size * config.accumulate,
    stepsPerEpoch,
    parameters: model.params,
    macs: model.macs,
    notes: dataset.notes,
    examples: examplesOf(config, run.testSets),
    ...(resumedFrom === undefined ? {} : { resumedFrom }),
  }
}
