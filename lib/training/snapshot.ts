/** A run's checkpoint: made of the native trainer and the run's own state, and put back into them. @module */
import { setName } from '../config/evaluation.js'
import type { RunConfig } from '../config/run.js'
import { FacexError } from '../errors.js'
import type { Checkpoint } from '../model/checkpoint.js'
import { addon } from '../native.js'
import { packageVersion } from '../setup/places.js'
import { changedKeys } from './config-difference.js'
import type { EvaluationReport } from './events.js'
import { progressStateSchema, type ProgressState } from './progress-state.js'
import type { PreparedRun } from './prepare.js'

/** Everything that `restore` needs, and everything that using the model later needs. */
export async function takeSnapshot(run: PreparedRun, progress: ProgressState, evaluations: readonly EvaluationReport[]): Promise<Checkpoint> {
  const { config, dataset, model, stepsPerEpoch, trainer } = run
  const counters = trainer.counters()
  const step = counters['step']!
  const score = evaluations.find((report) => report.name === scoringSet(config))?.value
  return {
    tensors: await trainer.state(!config.checkpoint.while_training),
    meta: {
      versions: { facex: packageVersion(), node: process.version, libtorch: addon().info().libtorch },
      position: { step, epoch: Math.floor(step / stepsPerEpoch), batch: (step % stepsPerEpoch) * config.accumulate },
      seed: config.seed,
      counters,
      config: config as Record<string, unknown>,
      preprocessing: model.preprocessing,
      backbone: { name: model.backbone.name, config: { ...model.backbone.config } },
      classes: { count: dataset.classCount, hash: dataset.classMapHash },
      metrics: Object.fromEntries(evaluations.map((report) => [report.name, report.value])),
      ...(score === undefined ? {} : { score }),
      state: progress,
    },
  }
}

/** The test set whose figure chooses the best checkpoint. */
export function scoringSet({ evaluation }: RunConfig): string | undefined {
  const [first] = evaluation.sets
  return evaluation.best ?? (first && setName(first))
}

/**
 * Puts a checkpoint back into a freshly prepared run.
 * @returns the run's own state
 * @throws FacexError ERR_CHECKPOINT when it belongs to another run: network, data, batch or seed differ
 */
export function restoreSnapshot(run: PreparedRun, checkpoint: Checkpoint, file: string): ProgressState {
  const { meta, tensors } = checkpoint
  const { classes } = meta
  if (classes !== undefined && classes.hash !== run.dataset.classMapHash) {
    throw new FacexError(
      'ERR_CHECKPOINT',
      `${file}: it was trained on other identities (${classes.count} classes; the data now has ${run.dataset.classCount}). ` +
        'Resuming needs the same training data; "init.weights" starts a new run from these weights.',
    )
  }
  const changed = changedKeys(meta.config, run.config as Record<string, unknown>)
  if (changed.length > 0) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: the run was begun with another configuration:\n${changed.map((line) => `  ${line}`).join('\n')}\nSet these back to resume, or choose another out_dir for a new run.`, { problems: changed })
  }
  const names = new Set(tensors.map(({ name }) => name))
  const missing = run.trainer.parameters().filter(({ name }) => !names.has(name))
  if (missing.length > 0) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: it belongs to another network: ${missing.length} parameters are missing, the first is ${missing[0]!.name}`)
  }
  run.trainer.load(tensors)
  run.trainer.loadCounters(meta.counters)
  return progressStateSchema.parse(meta.state)
}
