/** facex as a peer of bench/peers/modes.py: steps of one training mode on images from memory. @module */
import { createInterface } from 'node:readline'

import { buildBackbone } from '../../lib/backbones/index.js'
import { fuseNorm } from '../../lib/graph/passes/index.js'
import { findHead } from '../../lib/heads/index.js'
import { addon, type NativeMemoryBatches, type NativeTensor, type NativeTrainer } from '../../lib/native.js'
import { noise } from '../../lib/training/benchmark.js'
import { findMode } from '../../lib/training/modes/index.js'
import { update } from '../../lib/training/program.js'

interface Request {
  readonly cmd: 'start' | 'run'
  readonly mode: string
  readonly batch: number
  readonly classes: number
  readonly threads: number
  readonly steps: number
}

/** Head and options that go with a mode; the peers in Python have the same. */
const SETTINGS: Readonly<Record<string, { head: Record<string, unknown>; type: string; options?: Record<string, unknown> }>> = {
  conventional: { type: 'ArcFace', head: {} },
  'semi-siamese': { type: 'SST_Prototype', head: { queue_size: 16384 } },
  siamese: { type: 'Contrastive', head: { margin: 1, mining: 'hardest' } },
  triplet: { type: 'Triplet', head: { margin: 0.3, mining: 'semi-hard' } },
  distillation: { type: 'ArcFace', head: {}, options: { teacher: 'in memory' } },
}

class ModeBenchmark {
  readonly #batches: NativeMemoryBatches = new (addon().MemoryBatches)()

  private constructor(
    private readonly trainer: NativeTrainer,
    private readonly images: readonly NativeTensor[],
    private readonly labels: NativeTensor,
  ) {}

  static async create({ mode: name, batch, classes, threads }: Request): Promise<ModeBenchmark> {
    addon().setThreads(threads)
    const { type, head: options, options: modeOptions = {} } = SETTINGS[name]!
    const { graph, input } = buildBackbone('MobileFaceNet')
    const definition = findHead(type)
    const mode = findMode(name)
    let views = 1
    const plan = await mode.create(mode.schema.parse(modeOptions), {
      graph,
      head: definition.create(definition.schema.parse({ num_class: classes, ...options })),
      batchSize: batch,
      accumulate: 1,
      finish: [update()],
      loadNetwork: () => Promise.resolve({ graph, tensors: [], head: [], meta: undefined as never }),
      loadHead: () => {
        throw new Error('no mode here asks for the head of a teacher')
      },
      order: (sampler) => {
        views = sampler === 'pairs' ? 2 : 1
        return { views, order: () => new Uint32Array() }
      },
    })
    const network = { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 } as const
    const trainer = new (addon().Trainer)({
      networks: Object.fromEntries(Object.entries(plan.networks).map(([part, network_]) => [part, { graph: fuseNorm(network_), options: network }])),
      heads: Object.fromEntries(Object.entries(plan.heads).map(([part, pieces]) => [part, { ...pieces, dtype: 'float32' as const, device: 'cpu' as const }])),
      program: plan.program,
      seed: 0,
      onNonFinite: 'stop',
    })
    const learns = /^(backbone|head)\./
    const names = trainer.parameters().flatMap(({ name: parameter }) => (learns.test(parameter) ? [parameter] : []))
    trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 1e-4 }] })
    trainer.initialise(0)
    const shape = [batch, ...input.slice(1), 3]
    const images = Array.from({ length: views }, (_, view) => noise(shape, view + 1))
    const identities = BigInt64Array.from({ length: batch }, (_, i) => BigInt(Math.floor(i / 4) % classes))
    return new ModeBenchmark(trainer, images, { name: 'labels', dtype: 'int64', shape: [batch], data: identities.buffer })
  }

  async train(steps: number): Promise<number> {
    for (let step = 0; step < steps; step++) this.#batches.push({ images: [...this.images], labels: this.labels })
    const begin = performance.now()
    await this.trainer.run({ loader: this.#batches, lr: new Float64Array(steps).fill(0.01), progressMs: 1e9 }, () => {})
    return (performance.now() - begin) / 1000
  }
}

let benchmark: ModeBenchmark | undefined

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  if (request.cmd === 'start') benchmark = await ModeBenchmark.create(request)
  const seconds = await benchmark!.train(request.cmd === 'start' ? 1 : request.steps)
  process.stdout.write(`${JSON.stringify({ seconds, peak_bytes: process.resourceUsage().maxRSS * 1024 })}\n`)
}
