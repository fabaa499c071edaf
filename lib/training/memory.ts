/**
 * Memory of a run, predicted from its plan before anything is allocated: the step program is followed verb by verb with
 * what each network and head holds at that moment.
 * @module
 */
import type { RunConfig } from '../config/run.js'
import type { Dataset } from '../data/dataset.js'
import { inferenceMemory, stepMemory, type StepMemory } from '../graph/memory.js'
import { fuseNorm } from '../graph/passes/index.js'
import { recomputation } from '../graph/recompute.js'
import type { Graph } from '../graph/types.js'
import type { HeadPieces } from '../heads/head.js'
import { headMemory, type HeadMemory } from '../heads/memory.js'
import type { ModePlan } from './modes/index.js'

/** What the prediction reads of a run. */
export interface MemoryRequest {
  readonly config: Pick<RunConfig, 'batch_size' | 'precision' | 'recompute' | 'optimizer' | 'data' | 'checkpoint'>
  readonly plan: Pick<ModePlan, 'networks' | 'heads' | 'program' | 'order'>
  readonly dataset: Pick<Dataset, 'size'>
  readonly input: { readonly height: number; readonly width: number }
  /** Processes that share the batch and the classes; 1 by default. */
  readonly ranks?: number
}

/**
 * Bytes. Not all parts are at their height at the same moment; what kernels need for themselves is in `peak` as well.
 *
 * On CUDA, `device` is what lives there; the context of the CUDA library, some hundreds of MiB, comes on top.
 */
export interface RunMemory {
  /** Weights and statistics of every network and head, moving copies and those in the type of activations included. */
  readonly weights: number
  /** Gradients of everything that learns. */
  readonly gradients: number
  /** What the optimizer keeps for each parameter. */
  readonly optimizer: number
  /** Values of all forwards that wait for one backward, and the gradients of values on the way back. */
  readonly activations: number
  /** The batch-by-classes buffers of the heads, and the sample of class centres with Partial FC. */
  readonly logits: number
  /** Decoded batches, those prefetched and the one in use, and the list of the samples. */
  readonly loader: number
  /** The copy of weights and optimizer that a checkpoint is written from. */
  readonly checkpoint: number
  /** The process before it trains: Node, libtorch and this addon. */
  readonly process: number
  /** The most that the process needs at once: on the CPU all of it, on CUDA its part of it. */
  readonly peak: number
  /**
   * The same while no checkpoint is being written. Where a step takes longer than writing one, the copy is gone before
   * the step is at its height, and a run needs no more than this.
   */
  readonly steady: number
  /** On CUDA the most that the device needs at once. */
  readonly device?: number
}

/** Node, libtorch and the addon with their threads and compiled kernels, measured on Linux x86-64. */
const PROCESS = 360 * 2 ** 20

/** Scratch of kernels and gaps between blocks, as a share of the tensors; measured (bench/sections/estimate.ts). */
const OVERHEAD = 1.045

/** Predicts a run's memory on `device`; of several processes that of the first, which writes the checkpoints. */
export function runMemory(request: MemoryRequest, device: 'cpu' | 'cuda'): RunMemory {
  const { plan, ranks = 1 } = request
  const { batch_size: whole } = request.config
  const batch = whole / ranks
  const config = { ...request.config, batch_size: batch }
  const slots = config.optimizer.name === 'adamw' ? 2 : Number(config.optimizer.momentum > 0)
  const networks = new Map(Object.entries(plan.networks).map(([name, graph]) => [name, networkMemory(graph, config, device)]))
  const heads = new Map(Object.entries(plan.heads).map(([name, head]) => [name, headMemory(ofRank(head, ranks), whole)]))
  const learning = new Set(plan.program.flatMap((verb) => (verb.verb === 'forward' && verb.gradient ? [verb.network] : [])))
  const onHost = new Set(device === 'cuda' ? Object.keys(plan.heads).filter((name) => plan.heads[name]!.centres === 'host') : [])

  const centres = (chosen: (name: string) => boolean) => sum([...heads].filter(([name]) => chosen(name)).map(([, head]) => head.centres))
  const slotsOf = (chosen: (name: string) => boolean) => slots * sum([...heads].filter(([name, head]) => head.learns && chosen(name)).map(([, head]) => head.centres))
  const networkWeights = sum([...networks.values()].map(({ weights, casts }) => weights + casts))
  const networkSlots = slots * sum([...networks].filter(([name]) => learning.has(name)).map(([, { parameters }]) => parameters))
  const weights = networkWeights + centres(() => true)
  const optimizer = networkSlots + slotsOf(() => true)
  const host = centres((name) => onHost.has(name)) + slotsOf((name) => onHost.has(name)) + sum([...heads].filter(([name]) => onHost.has(name)).map(([, head]) => head.gradient + head.sample))

  const step = stepPeak(plan.program, networks, heads, slots)
  const batchBytes = batch * plan.order.views * request.input.height * request.input.width * 3
  // Prefetched batches, the one in use and the one being replaced; paths, labels and the order of an epoch.
  const batches = batchBytes * (config.data.prefetch + 2)
  const loader = batches + 100 * request.dataset.size
  // The centres of all ranks come together in it.
  const shared = (ranks - 1) * sum([...heads].filter(([name]) => isShared(plan.heads[name]!)).map(([, head]) => (1 + slots) * head.centres))
  const checkpoint = sum([...networks.values()].map(({ weights }) => weights)) + centres(() => true) + optimizer + shared
  const shown = {
    weights,
    gradients: sum([...networks].filter(([name]) => learning.has(name)).map(([, { gradients }]) => gradients)) + sum([...heads.values()].map(({ gradient }) => gradient)),
    optimizer,
    activations: step.activations,
    logits: sum([...heads.values()].map(({ logits, sample, scratch }) => logits + sample + scratch)),
    loader,
    checkpoint,
    process: PROCESS,
  }
  const fixed = weights + optimizer + sum([...heads.values()].map(({ gradient, sample, logits }) => gradient + sample + logits))
  const around = PROCESS + loader
  // Where training waits for the disk, what a step needs for itself is free for the copy.
  const apart = Math.max(step.peak, checkpoint)
  const together = config.checkpoint.while_training ? step.peak + checkpoint : apart
  if (device === 'cpu') return { ...shown, peak: around + OVERHEAD * (fixed + together), steady: around + OVERHEAD * (fixed + apart) }
  return { ...shown, peak: around + host + checkpoint, steady: around + host + checkpoint, device: OVERHEAD * (fixed - host + step.peak) + batches }
}

/** Whether the ranks divide the classes of a head between them; queues and what only compares embeddings are whole on each. */
function isShared({ centres, values }: HeadPieces): boolean {
  return centres !== undefined && values['queue_size'] === undefined
}

function ofRank(head: HeadPieces, ranks: number): HeadPieces {
  return isShared(head) ? { ...head, numClass: Math.ceil(head.numClass / ranks) } : head
}

interface NetworkMemory extends StepMemory {
  readonly parameters: number
  /** Without backward. */
  readonly inference: number
}

function networkMemory(graph: Graph, { batch_size: batch, precision, recompute }: MemoryRequest['config'], device: 'cpu' | 'cuda'): NetworkMemory {
  const fused = fuseNorm(graph)
  const parameters = graph.state.filter(({ kind }) => kind === 'parameter').reduce((total, { shape }) => total + 4 * shape.reduce((a, b) => a * b, 1), 0)
  return { ...stepMemory(fused, batch, precision, recomputation(fused, recompute, device)), parameters, inference: inferenceMemory(fused, batch, precision) }
}

/** Follows a step: what its values and gradients take at the worst moment, beside the buffers that heads keep for good. */
function stepPeak(program: ModePlan['program'], networks: ReadonlyMap<string, NetworkMemory>, heads: ReadonlyMap<string, HeadMemory>, slots: number): { peak: number; activations: number } {
  const waiting: string[] = []
  const ready = new Set<string>()
  let peak = 0
  let activations = 0
  const held = () => sum(waiting.map((name) => networks.get(name)!.kept))
  const gradients = () => sum([...ready].map((name) => networks.get(name)!.gradients))
  const moment = (values: number, withGradients: number) => {
    activations = Math.max(activations, values)
    peak = Math.max(peak, withGradients)
  }
  for (const verb of program) {
    if (verb.verb === 'forward') {
      const { forward, inference } = networks.get(verb.network)!
      const values = held() + (verb.gradient ? forward : inference)
      moment(values, values + gradients())
      if (verb.gradient) waiting.push(verb.network)
    } else if (verb.verb === 'head') {
      peak = Math.max(peak, held() + gradients() + (heads.get(verb.head)?.scratch ?? 0))
    } else if (verb.verb === 'backward') {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const { activations: values, backward, gradients: own } = networks.get(name)!
        moment(held() + values, held() + backward + gradients() - (ready.has(name) ? own : 0))
        ready.add(name)
      }
    } else if (verb.verb === 'optimizer') {
      // Partial FC updates copies of the centres and slots that its sample covers.
      const copies = sum([...heads.values()].map(({ sample, learns }) => (learns ? (1 + slots) * sample : 0)))
      peak = Math.max(peak, gradients() + copies)
    }
  }
  return { peak, activations }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
