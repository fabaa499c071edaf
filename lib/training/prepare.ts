/**
 * Everything that a run needs, made from its configuration in one place: data, model, plan of the mode, native trainer
 * and loader. Nothing here trains or writes.
 * @module
 */
import { availableParallelism } from 'node:os'

import { check } from '../config/check.js'
import type { ResolvedRun } from '../config/resolve.js'
import type { RunConfig } from '../config/run.js'
import { resolveAugmentations } from '../data/augment.js'
import { openDataset, type Dataset } from '../data/dataset.js'
import { findSampler } from '../data/samplers/index.js'
import { writeSynthetic } from '../data/synthetic/source.js'
import { validateDataset } from '../data/validate.js'
import { FacexError } from '../errors.js'
import { openPairSet, type PairSet } from '../evaluation/pair-set.js'
import { buildModel, type BuiltModel } from '../model/build.js'
import { loadExtensions } from '../model/extensions.js'
import { loadNetwork } from '../model/load-network.js'
import { addon, type NativeDevice, type NativeLoader, type NativeTrainer } from '../native.js'
import { chooseDevice } from './device.js'
import type { Message } from './events.js'
import { findMode, type Mode, type ModePlan } from './modes/index.js'
import { average, clip, update, type Program } from './program.js'
import { createSchedule } from './schedules/index.js'
import type { LearningRate } from './schedules/schedule.js'
import { createTrainer } from './trainer.js'

export interface PreparedRun {
  readonly config: RunConfig
  readonly dataset: Dataset
  readonly model: BuiltModel
  readonly plan: ModePlan
  readonly device: NativeDevice
  readonly trainer: NativeTrainer
  readonly loader: NativeLoader
  /** Threads that decode images. */
  readonly decodeThreads: number
  /** Pair lists of the evaluation. */
  readonly pairSets: readonly PairSet[]
  readonly learningRate: LearningRate
  readonly stepsPerEpoch: number
  /** Network whose embeddings are evaluated: the moving average where there is one. */
  readonly evaluated: string
}

/**
 * Opens and validates the data, builds the model and the native objects, weights not initialised yet.
 * @param onMessage what the user should know before the first step
 * @throws FacexError ERR_CONFIG, ERR_DATA, ERR_GRAPH, ERR_SETUP, each naming what is wrong and where
 */
export async function prepareRun({ config, source }: ResolvedRun, onMessage: (message: Message) => void): Promise<PreparedRun> {
  const say = (text: string) => onMessage({ level: 'info', text })
  const { device, notice } = chooseDevice(config.device)
  if (notice !== undefined) onMessage({ level: 'warning', text: notice })
  const threads = config.threads ?? availableParallelism()
  const decodeThreads = config.data.threads ?? Math.max(1, Math.ceil(threads / 2))
  addon().setThreads(threads)
  await drawSynthetic(config, say)
  const dataset = await openDataset(config.data.train)
  dataset.notes.forEach(say)
  const tables = await loadExtensions(config.extensions)
  const model = buildModel(config, source, dataset.classCount, tables)
  const { name, ...modeOptions } = config.mode
  const mode = findMode(name, tables.modes as readonly Mode[])
  const plan = await mode.create(check(mode.schema, modeOptions, source, 'mode'), {
    graph: model.backbone.graph,
    head: model.head,
    batchSize: config.batch_size,
    accumulate: config.accumulate,
    loadNetwork: (file) => loadNetwork(file, model.preprocessing, tables),
    finish: finishOf(config),
    order: (fallback) => {
      const { name: sampler, ...options } = config.data.sampler ?? { name: fallback }
      const definition = findSampler(sampler, tables.samplers)
      const { labels, classCount, parts } = dataset
      return definition.create(check(definition.schema, options, source, 'data.sampler'), { labels, classCount, parts, batchSize: config.batch_size, seed: config.seed })
    },
  })
  const stepsPerEpoch = countSteps(plan, config)
  const augmentations = resolveAugmentations(config.data.augment)
  const pairSets = config.evaluation.sets.map(openPairSet)
  const { height, width } = model.preprocessing
  resized((await validateDataset(dataset, { threads })).sizes, height, width).forEach(say)
  const loader = new (addon().Loader)({
    source: dataset.source,
    height,
    width,
    ...(config.data.crop === 'upper_half' ? { fullHeight: width } : {}),
    color: config.data.color,
    batchSize: config.batch_size,
    views: plan.order.views,
    threads: decodeThreads,
    prefetch: config.data.prefetch,
    seed: config.seed,
    augmentations,
    onBadImage: config.data.on_bad_image,
  })
  return {
    config,
    dataset,
    model,
    plan: withAverage(plan, config),
    device,
    trainer: createTrainer(config, model, withAverage(plan, config), device),
    loader,
    decodeThreads,
    pairSets,
    learningRate: createSchedule(config.schedule, { lr: config.optimizer.lr, stepsPerEpoch, epochs: config.epochs }),
    stepsPerEpoch,
    evaluated: config.ema === undefined ? 'backbone' : AVERAGE,
  }
}

/** Sources that a program draws exist from here on. */
async function drawSynthetic(config: RunConfig, say: (text: string) => void): Promise<void> {
  for (const source of config.data.train) {
    if (source.kind !== 'synthetic') continue
    let announced = false
    await writeSynthetic(source, (_, total) => {
      if (!announced) say(`drawing ${total} synthetic faces in ${source.root}`)
      announced = true
    })
  }
}

/** Network that holds the moving average of the backbone. */
const AVERAGE = 'average'

/** How each step ends. */
function finishOf(config: RunConfig): Program {
  const { clip_norm, backbone, head } = config.optimizer
  return [
    ...(backbone.clip_norm === undefined ? [] : [clip(backbone.clip_norm, 'backbone')]),
    ...(head.clip_norm === undefined ? [] : [clip(head.clip_norm, 'head')]),
    ...(clip_norm === undefined ? [] : [clip(clip_norm)]),
    update(),
    ...(config.ema === undefined ? [] : [average('backbone', AVERAGE, config.ema.decay, { buffers: true })]),
  ]
}

function withAverage(plan: ModePlan, config: RunConfig): ModePlan {
  if (config.ema === undefined) return plan
  return { ...plan, networks: { ...plan.networks, [AVERAGE]: plan.networks.backbone }, copies: [...plan.copies, AVERAGE] }
}

/** Steps of an epoch. Where epochs differ in length (excluded identities), all are as long as the shorter of the first two. */
function countSteps(plan: ModePlan, config: RunConfig): number {
  const samplesPerStep = config.batch_size * config.accumulate
  const samples = Math.min(...[0, 1].slice(0, config.epochs).map((epoch) => plan.order.order(epoch).length / plan.order.views))
  const steps = Math.floor(samples / samplesPerStep)
  if (steps === 0) {
    const parts = config.accumulate > 1 ? ` (batch_size ${config.batch_size} times accumulate ${config.accumulate})` : ''
    throw new FacexError('ERR_CONFIG', `batch_size: a step takes ${samplesPerStep} samples${parts}, but an epoch has only ${samples}; choose a smaller batch`)
  }
  return steps
}

function resized(sizes: readonly { width: number; height: number; count: number }[], height: number, width: number): string[] {
  const others = sizes.filter((size) => size.height !== height || size.width !== width)
  const count = others.reduce((sum, size) => sum + size.count, 0)
  return count === 0 ? [] : [`${count} images are not ${width}x${height} and are resized while training; the most frequent size is ${others[0]!.width}x${others[0]!.height}`]
}
