/**
 * The training step on its own, for measurements: a network and a head on images from memory, without files, schedule
 * or checkpoints.
 * @module
 */
import { buildBackbone, type BuiltBackbone } from '../backbones/index.js'
import type { ConfEntry } from '../backbones/conf.js'
import { fuseNorm } from '../graph/passes/index.js'
import { recomputation, type Recompute } from '../graph/recompute.js'
import { findHead } from '../heads/index.js'
import { embeddingSize } from '../model/build.js'
import { inferenceNetwork } from '../model/inference.js'
import { addon, type NativeDevice, type NativeMemoryBatches, type NativeNetwork, type NativeNetworkOptions, type NativeNodeTime, type NativeTensor, type NativeTrainer } from '../native.js'
import { computeType } from './device.js'
import { backward, batch, forward, loss, update } from './program.js'

export interface StepBenchmarkOptions {
  readonly backbone: Pick<ConfEntry, 'type' | 'config'>
  /** Name of the head, with its default options. */
  readonly head?: string
  readonly classes?: number
  readonly batchSize: number
  readonly precision?: 'fp32' | 'bf16' | 'fp16'
  readonly device?: NativeDevice
  readonly threads?: number
  /** As in a run's configuration. */
  readonly recompute?: Recompute
  readonly cudaGraphs?: boolean
  /** Partial FC: the share of the classes that a step sees. */
  readonly sampleRate?: number
}

/** One network with a head, SGD with momentum, and one batch of noise that every step sees again. */
export class StepBenchmark {
  readonly trainer: NativeTrainer
  readonly #built: BuiltBackbone
  readonly #options: NativeNetworkOptions
  #network: NativeNetwork | undefined
  readonly #batches: NativeMemoryBatches
  readonly #images: NativeTensor
  readonly #labels: NativeTensor
  /** Milliseconds that it took to turn the configuration into a graph. */
  readonly graphMs: number
  readonly batchSize: number

  constructor(options: StepBenchmarkOptions) {
    const { backbone, head = 'ArcFace', classes = 1000, batchSize, precision = 'fp32', device = 'cpu', threads, recompute = 'auto', cudaGraphs = false, sampleRate } = options
    if (threads !== undefined) addon().setThreads(threads)
    const begin = performance.now()
    const built = buildBackbone(backbone.type, backbone.config)
    this.graphMs = performance.now() - begin
    this.batchSize = batchSize
    const definition = findHead(head)
    const pieces = definition.create(definition.schema.parse({ feat_dim: embeddingSize(built.graph), num_class: classes }))
    const graph = fuseNorm(built.graph)
    const network = { device, master: 'float32', compute: computeType(precision), pixelMean: 127.5, pixelScale: 1 / 128 } as const
    this.trainer = new (addon().Trainer)({
      networks: { backbone: { graph, options: { ...network, ...recomputation(graph, recompute, device) } } },
      heads: { head: { ...pieces, dtype: 'float32', device, ...(sampleRate === undefined ? {} : { sampleRate }) } },
      program: [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward(), update()],
      seed: 0,
      onNonFinite: 'stop',
      cudaGraphs,
    })
    const names = this.trainer.parameters().map(({ name }) => name)
    this.trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 1e-4 }] })
    this.trainer.initialise(0)
    this.#built = built
    this.#options = network
    this.#batches = new (addon().MemoryBatches)()
    this.#images = noise([batchSize, ...built.input.slice(1), 3])
    this.#labels = labels(batchSize, classes)
  }

  /** Trains `steps` steps; seconds they took and the last loss. */
  async train(steps: number): Promise<{ seconds: number; loss: number }> {
    for (let step = 0; step < steps; step++) this.#batches.push({ images: [this.#images], labels: this.#labels })
    const begin = performance.now()
    const { losses } = await this.trainer.run({ loader: this.#batches, lr: new Float64Array(steps).fill(0.01), progressMs: 1e9 }, () => {})
    return { seconds: (performance.now() - begin) / 1000, loss: losses.at(-1)! }
  }

  /** Embeds the batch `times` times in inference; seconds they took. */
  async extract(times: number): Promise<{ seconds: number }> {
    const network = this.#inference()
    const begin = performance.now()
    for (let i = 0; i < times; i++) await network.infer(this.#images, 'embedding')
    return { seconds: (performance.now() - begin) / 1000 }
  }

  /** Seconds that every node of the network takes in a training step: the smallest of several. */
  profile(): NativeNodeTime[] {
    return this.trainer.network('backbone').profile(this.#images, 'embedding', false)
  }

  /** Seconds that every node takes to embed the batch in inference, on one thread. */
  profileExtraction(): NativeNodeTime[] {
    return this.#inference().profile(this.#images, 'embedding', true)
  }

  #inference(): NativeNetwork {
    this.#network ??= inferenceNetwork(this.#built.graph, this.trainer.network('backbone').state(), this.#options)
    return this.#network
  }

  dispose(): void {
    this.#network?.dispose()
    this.trainer.dispose()
  }
}

/** Bytes that look random and are the same in every run. */
/** The same images of noise for the same seed: uint8. */
export function noise(shape: readonly number[], seed = 1): NativeTensor {
  const bytes = new Uint8Array(shape.reduce((product, extent) => product * extent, 1))
  let state = seed
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return { name: 'images', dtype: 'uint8', shape, data: bytes.buffer }
}

function labels(count: number, classes: number): NativeTensor {
  const values = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % classes))
  return { name: 'labels', dtype: 'int64', shape: [count], data: values.buffer }
}
