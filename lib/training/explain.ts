/**
 * What a prepared run will do, in figures: learning rate, memory, and which part computes in which type. Nothing here
 * runs a step.
 * @module
 */
import { stepMemory } from '../graph/memory.js'
import type { ComputeType } from '../native.js'
import { computeType } from './device.js'
import type { ModePlan } from './modes/index.js'
import type { PreparedRun } from './prepare.js'

/** Bytes, estimated: an upper bound for what libtorch is asked for, without its own code and caches. */
export interface RunMemory {
  /** Weights and statistics of every network and head, each network's moving copy included. */
  readonly weights: number
  /** Gradients, and what the optimizer keeps for each parameter. */
  readonly learning: number
  /** Values that wait for backward, of all forwards that wait at once, and the head's logits. */
  readonly activations: number
  /** Decoded batches: the prefetched ones and the one in use. */
  readonly images: number
  readonly total: number
}

export interface PrecisionRow {
  readonly part: string
  readonly type: ComputeType | 'uint8'
  readonly why: string
}

export interface RunDetails {
  /** Rates at the first step, where warm-up ends, and at the first step of some epochs. */
  readonly learningRates: readonly { readonly epoch: number; readonly lr: number }[]
  readonly memory: RunMemory
  readonly precision: readonly PrecisionRow[]
}

/** Lines of the schedule that are shown at most. */
const SHOWN_RATES = 8

export function explainRun(run: PreparedRun): RunDetails {
  return { learningRates: shownRates(run), memory: estimateMemory(run), precision: precisionOf(run) }
}

/** Epochs where the rate stands differently than at the last one shown, thinned out evenly; the last epoch always. */
function shownRates({ config, learningRate, stepsPerEpoch }: PreparedRun): RunDetails['learningRates'] {
  const all = Array.from({ length: config.epochs }, (_, epoch) => ({ epoch: epoch + 1, lr: learningRate(epoch * stepsPerEpoch) }))
  const changes = all.filter(({ lr }, i) => i === 0 || i === all.length - 1 || lr !== all[i - 1]!.lr)
  const every = Math.ceil((changes.length - 1) / (SHOWN_RATES - 1)) || 1
  return changes.filter((_, i) => i % every === 0 || i === changes.length - 1)
}

function estimateMemory({ config, model, plan, trainer, dataset }: PreparedRun): RunMemory {
  const { batch_size: batch, precision, optimizer, data } = config
  const waiting = waitingForwards(plan)
  let [weights, learning, activations] = [0, 0, 0]
  const slots = optimizer.name === 'adamw' ? 2 : 1
  for (const [name, graph] of Object.entries(plan.networks)) {
    const memory = stepMemory(graph, batch, precision)
    weights += memory.weights
    const forwards = waiting.get(name) ?? 0
    activations += forwards * memory.activations
    // The estimate of a step counts the gradient and one slot of the optimizer.
    if (forwards > 0) learning += (memory.gradients / 2) * (1 + slots)
  }
  for (const { name, shape } of trainer.parameters()) {
    if (!(name.slice(0, name.indexOf('.')) in plan.heads)) continue
    const bytes = 4 * shape.reduce((product, extent) => product * extent, 1)
    weights += bytes
    learning += bytes * (1 + slots)
  }
  activations += 4 * batch * dataset.classCount
  const { height, width } = model.preprocessing
  const images = batch * plan.order.views * height * width * 3 * (data.prefetch + 1)
  return { weights, learning, activations, images, total: weights + learning + activations + images }
}

/** For each network the forwards that wait for one backward together, at most. */
function waitingForwards(plan: ModePlan): ReadonlyMap<string, number> {
  const most = new Map<string, number>()
  let now = new Map<string, number>()
  for (const verb of plan.program) {
    if (verb.verb === 'backward') now = new Map()
    if (verb.verb !== 'forward' || !verb.gradient) continue
    const count = (now.get(verb.network) ?? 0) + 1
    now.set(verb.network, count)
    most.set(verb.network, Math.max(count, most.get(verb.network) ?? 0))
  }
  return most
}

function precisionOf({ config, plan }: PreparedRun): PrecisionRow[] {
  const compute = computeType(config.precision)
  const mixed = compute !== 'float32'
  const learning = waitingForwards(plan)
  const networks = Object.keys(plan.networks).map((name): PrecisionRow => ({
    part: `network ${name}`,
    type: compute,
    why: learning.has(name) ? 'activations and their gradients; sums inside a kernel are wider' : 'activations; it does not learn by gradients',
  }))
  return [
    { part: 'images', type: 'uint8', why: `decoded and moved as bytes, normalised into ${compute}` },
    ...networks,
    { part: 'norm statistics', type: 'float32', why: 'means, variances and their running averages' },
    ...Object.entries(plan.heads).map(([name, head]): PrecisionRow => ({ part: `head ${name}`, type: 'float32', why: `${head.name}: logits, loss and class centres` })),
    { part: 'weights', type: 'float32', why: mixed ? `masters that the optimizer updates; the networks read ${compute} copies` : 'that the optimizer updates' },
    { part: 'gradients, optimizer', type: 'float32', why: compute === 'float16' ? 'with dynamic loss scaling, from 65536; a step that overflows is dropped and counted' : 'without loss scaling' },
  ]
}
