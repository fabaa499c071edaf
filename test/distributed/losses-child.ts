/**
 * One rank that trains a small network in float64 with head after head, and prints the losses of each as one JSON object:
 * `node losses-child.js`, alone or with torchrun's variables.
 */
import { joinPeers } from '../../lib/distributed/peers.js'
import { worldOf } from '../../lib/distributed/world.js'
import { findHead } from '../../lib/heads/index.js'
import { BatchNorm, build, Conv2d, Dropout, Flatten, Linear, Module, PReLU, type Value } from '../../lib/layers/index.js'
import { addon, type NativeMemoryBatches } from '../../lib/native.js'
import { accumulate, average, backward, batch, clip, enqueue, forward, loss, update, type Program } from '../../lib/training/program.js'

const [SIZE, BATCH, CLASSES, STEPS] = [8, 12, 13, 4]

class Net extends Module {
  readonly conv = new Conv2d(3, 4, 3, { padding: 1 })
  readonly bn = new BatchNorm(4)
  readonly prelu = new PReLU(4)
  readonly flatten = new Flatten()
  readonly dropout = new Dropout(0.3)
  readonly linear = new Linear(4 * SIZE * SIZE, 8)
  readonly features = new BatchNorm(8)

  override forward(images: Value): Value {
    const values = this.prelu.call(this.bn.call(this.conv.call(images)))
    return this.features.call(this.linear.call(this.dropout.call(this.flatten.call(values))))
  }
}

interface Case {
  readonly head: string
  readonly options?: Record<string, unknown>
  readonly sampleRate?: number
  readonly program?: Program
  readonly networks?: readonly string[]
  readonly views?: number
  readonly optimizer?: 'adamw'
  readonly bfloat16?: boolean
}

const PLAIN = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings')]
const GALLERY = { gradient: false, batchStatistics: true, stochastic: false }

const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    ['Softmax', 'AM-Softmax', 'AdaM-Softmax', 'AdaCos', 'ArcFace', 'MV-Softmax', 'CurricularFace', 'CircleLoss', 'NPCFace', 'MagFace', 'ArcNegFace', 'CosFace', 'AdaFace', 'ElasticFace', 'SubCenterArcFace'].map(
      (head): [string, Case] => [head, { head }],
    ),
  ),
  Triplet: { head: 'Triplet' },
  'ArcFace clipped, in two halves, AdamW': {
    head: 'ArcFace',
    optimizer: 'adamw',
    program: [...accumulate(2, (share) => [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings', { weight: share }), backward()]), clip(0.5)],
  },
  'semi-siamese': {
    head: 'SST_Prototype',
    options: { queue_size: 48 },
    networks: ['backbone', 'gallery'],
    views: 2,
    program: [
      batch(['first', 'second']),
      forward('backbone', 'first', 'probe 1'),
      forward('backbone', 'second', 'probe 2'),
      forward('gallery', 'second', 'gallery 2', GALLERY),
      forward('gallery', 'first', 'gallery 1', GALLERY),
      loss('head', 'probe 1', { name: 'loss 1', weight: 0.5, gallery: 'gallery 2' }),
      loss('head', 'probe 2', { name: 'loss 2', weight: 0.5, gallery: 'gallery 1' }),
      enqueue('head', ['gallery 1', 'gallery 2']),
    ],
  },
  'ArcFace, 0.9 sampled': { head: 'ArcFace', sampleRate: 0.9 },
  'ArcFace, 0.3 sampled': { head: 'ArcFace', sampleRate: 0.3 },
  'bf16 gradients': { head: 'ArcFace', bfloat16: true },
}

const graph = build(new Net(), [3, SIZE, SIZE], 'Net')
const peers = await joinPeers(worldOf(process.env), { join_seconds: 60, timeout_seconds: 60, silence_seconds: 20 })
addon().setThreads(1)
const results: Record<string, number[]> = {}
for (const [name, one] of Object.entries(CASES)) results[name] = await losses(one)
process.stdout.write(`${JSON.stringify(results)}\n`)
await peers.leave()

async function losses(one: Case): Promise<number[]> {
  const definition = findHead(one.head)
  const pieces = definition.create(definition.schema.parse({ feat_dim: 8, num_class: CLASSES, ...one.options }))
  const options = { device: 'cpu', master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 } as const
  const networks = one.networks ?? ['backbone']
  const program = one.program ?? PLAIN
  const ends = program.some(({ verb }) => verb === 'backward') ? [update()] : [backward(), update()]
  const trainer = new (addon().Trainer)({
    networks: Object.fromEntries(networks.map((network) => [network, { graph, options }])),
    heads: { head: { ...pieces, ...(one.sampleRate === undefined ? {} : { sampleRate: one.sampleRate }), dtype: 'float64', device: 'cpu' } },
    program: [...program, ...ends, ...(networks.includes('gallery') ? [average('backbone', 'gallery', 0.9)] : [])],
    seed: 3,
    onNonFinite: 'stop',
    group: peers.group,
    synchroniseStatistics: true,
    bucketBytes: 256,
    bfloat16Gradients: one.bfloat16 ?? false,
  })
  const names = trainer.parameters().map((parameter) => parameter.name).filter((name) => /^(backbone|head)\./.test(name))
  const groups = [{ names, lrMultiplier: 1, weightDecay: 1e-3 }]
  if (one.optimizer === 'adamw') trainer.setOptimizer({ name: 'adamw', values: { beta1: 0.9, beta2: 0.999, eps: 1e-8 }, groups })
  else trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups })
  trainer.initialise(3)
  const halves = program.filter(({ verb }) => verb === 'batch').length
  const { losses: found } = await trainer.run({ loader: batches(STEPS * halves, one.views ?? 1), lr: new Float64Array(STEPS).fill(0.02), progressMs: 1e9 }, () => {})
  trainer.dispose()
  return [...found]
}

/** This rank's rows of the same batches on any number of ranks. */
function batches(count: number, views: number): NativeMemoryBatches {
  const source = new (addon().MemoryBatches)()
  const rows = BATCH / peers.size
  const pixels = 3 * SIZE * SIZE
  for (let b = 0; b < count; b++) {
    const images = Array.from({ length: views }, (_, view) => {
      const data = Float64Array.from({ length: rows * pixels }, (_, i) => Math.sin((i + rows * peers.rank * pixels) * 0.37 + b + 5 * view) + ((i + rows * peers.rank * pixels) % 7) / 5 - 0.6)
      return { name: 'images', dtype: 'float64', shape: [rows, 3, SIZE, SIZE], data: data.buffer } as const
    })
    // Pairs of rows show one identity, for losses over pairs.
    const labels = BigInt64Array.from({ length: rows }, (_, i) => BigInt(((Math.floor((i + rows * peers.rank) / 2) * 5) + b) % CLASSES))
    source.push({ images, labels: { name: 'labels', dtype: 'int64', shape: [rows], data: labels.buffer } })
  }
  return source
}
