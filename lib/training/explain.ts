/**
 * What a prepared run will do, in figures: learning rate, memory, and which part computes in which type. Nothing here
 * runs a step.
 * @module
 */
import type { ComputeType } from '../native.js'
import { computeType } from './device.js'
import { runMemory, type RunMemory } from './memory.js'
import type { PreparedRun } from './prepare.js'

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
  return { learningRates: shownRates(run), memory: runMemory({ ...run, input: run.model.preprocessing }, run.device), precision: precisionOf(run) }
}

/** Epochs that begin at another rate than the one before, thinned out evenly. */
function shownRates({ config, learningRate, stepsPerEpoch }: PreparedRun): RunDetails['learningRates'] {
  const all = Array.from({ length: config.epochs }, (_, epoch) => ({ epoch: epoch + 1, lr: learningRate(epoch * stepsPerEpoch) }))
  const changes = all.filter(({ lr }, i) => i === 0 || lr !== all[i - 1]!.lr)
  const every = Math.ceil((changes.length - 1) / (SHOWN_RATES - 1)) || 1
  return changes.filter((_, i) => i % every === 0 || i === changes.length - 1)
}

function precisionOf({ config, plan }: PreparedRun): PrecisionRow[] {
  const compute = computeType(config.precision)
  const mixed = compute !== 'float32'
  const learning = new Set(plan.program.flatMap((verb) => (verb.verb === 'forward' && verb.gradient ? [verb.network] : [])))
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
