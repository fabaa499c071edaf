/**
 * What a run is, without what executes it: data, model and the plan of its mode. Nothing native is made here, so that a
 * run of any size can be looked at.
 * @module
 */
import { check } from '../config/check.js'
import type { ResolvedRun } from '../config/resolve.js'
import type { RunConfig } from '../config/run.js'
import type { Dataset } from '../data/dataset.js'
import { findSampler } from '../data/samplers/index.js'
import { checkLabels } from '../data/validate.js'
import { FacexError } from '../errors.js'
import { buildModel, type BuiltModel } from '../model/build.js'
import { loadExtensions } from '../model/extensions.js'
import { loadNetwork, trainedHead } from '../model/load-network.js'
import { findMode, type Mode, type ModePlan } from './modes/index.js'
import { average, clip, update, type Program } from './program.js'

export interface PlannedRun {
  readonly config: RunConfig
  readonly dataset: Dataset
  readonly model: BuiltModel
  readonly plan: ModePlan
  readonly stepsPerEpoch: number
  /** Network whose embeddings are evaluated: the moving average where there is one. */
  readonly evaluated: string
}

/**
 * Builds the model for the classes of `dataset` and lets the mode plan its steps.
 * @throws FacexError ERR_CONFIG, ERR_GRAPH, each naming what is wrong and where; ERR_DATA for a label beyond num_class
 */
export async function planRun({ config, source }: ResolvedRun, dataset: Dataset): Promise<PlannedRun> {
  const { num_class: numClass } = config.head
  if (Number.isInteger(numClass) && (numClass as number) < dataset.classCount) checkLabels(dataset, numClass as number)
  const tables = await loadExtensions(config.extensions)
  const model = buildModel(config, source, dataset.classCount, tables)
  const { name, ...modeOptions } = config.mode
  const mode = findMode(name, tables.modes as readonly Mode[])
  const plan = await mode.create(check(mode.schema, modeOptions, source, 'mode'), {
    graph: model.backbone.graph,
    head: model.head,
    batchSize: config.batch_size,
    accumulate: config.accumulate,
    loadNetwork: (file, options) => loadNetwork(file, model.preprocessing, tables, options),
    loadHead: (network, file) => trainedHead(network, file, { count: dataset.classCount, hash: dataset.classMapHash }, tables),
    finish: finishOf(config),
    order: (fallback) => {
      const { name: sampler, ...options } = config.data.sampler ?? { name: fallback }
      const definition = findSampler(sampler, tables.samplers)
      const { labels, classCount, parts } = dataset
      return definition.create(check(definition.schema, options, source, 'data.sampler'), { labels, classCount, parts, batchSize: config.batch_size, seed: config.seed })
    },
  })
  checkViews(plan, config)
  return {
    config,
    dataset,
    model,
    plan: withAverage(plan, config),
    stepsPerEpoch: countSteps(plan, config),
    evaluated: config.ema === undefined ? 'backbone' : AVERAGE,
  }
}

/** A sample has as many images as a batch of the program takes. */
function checkViews({ order: { views }, program }: ModePlan, { data, mode }: RunConfig): void {
  const wanted = program.find((verb) => verb.verb === 'batch')?.images.length ?? views
  if (wanted === views) return
  const sampler = data.sampler === undefined ? 'its sampler' : `data.sampler.name: ${data.sampler.name}`
  const hint = data.sampler === undefined ? '' : '; leave data.sampler out for the one of the mode'
  throw new FacexError('ERR_CONFIG', `mode ${mode.name}: expected samples of ${wanted} ${wanted === 1 ? 'image' : 'images'}, received ${views} from ${sampler}${hint}`)
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
