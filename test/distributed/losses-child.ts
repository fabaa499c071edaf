/**
 * One rank that trains a small network in float64 with head after head, and prints the losses of each as one JSON object:
 * `node losses-child.js`, alone or with torchrun's variables.
 */
import { joinPeers } from '../../lib/distributed/peers.js'
import { worldOf } from '../../lib/distributed/world.js'
import { withLayerOutputs } from '../../lib/graph/outputs.js'
import type { Graph } from '../../lib/graph/types.js'
import { findHead, type HeadPieces } from '../../lib/heads/index.js'
import { BatchNorm, build, Conv2d, Dropout, Flatten, Linear, Module, PReLU, type Value } from '../../lib/layers/index.js'
import { addon, type NativeMemoryBatches, type NativeTensor } from '../../lib/native.js'
import type { CaseReport } from './losses.test.js'
import { accumulate, average, backward, batch, clip, enqueue, forward, loss, update, type Program } from '../../lib/training/program.js'

const [SIZE, BATCH, CLASSES, STEPS] = [8, 12, 13, 4]

class Net extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm
  readonly prelu: PReLU
  readonly flatten = new Flatten()
  readonly dropout = new Dropout(0.3)
  readonly linear: Linear
  readonly features = new BatchNorm(8)

  constructor(channels: number) {
    super()
    this.conv = new Conv2d(3, channels, 3, { padding: 1 })
    this.bn = new BatchNorm(channels)
    this.prelu = new PReLU(channels)
    this.linear = new Linear(channels * SIZE * SIZE, 8)
  }

  override forward(images: Value): Value {
    const values = this.prelu.call(this.bn.call(this.conv.call(images)))
    return this.features.call(this.linear.call(this.dropout.call(this.flatten.call(values))))
  }
}

interface Case {
  readonly head: string
  readonly options?: Record<string, unknown>
  readonly sampleRate?: number
  /** Heads beside the one of that name. */
  readonly others?: Readonly<Record<string, HeadPieces>>
  readonly program?: Program
  readonly networks?: readonly string[]
  readonly views?: number
  readonly optimizer?: 'adamw'
  readonly bfloat16?: boolean
  /** Parameters of the backbone that do not learn. */
  readonly frozen?: RegExp
}

const PLAIN = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings')]
const TEACHER = { gradient: false, batchStatistics: false, stochastic: false }
const TEACHER_CENTRES: NativeTensor = { name: 'probabilities.teacher', dtype: 'float64', shape: [CLASSES, 8], data: Float64Array.from({ length: 8 * CLASSES }, (_, i) => Math.sin(i * i)).buffer }
const GALLERY = { gradient: false, batchStatistics: true, stochastic: false }

const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    ['Softmax', 'AM-Softmax', 'AdaM-Softmax', 'AdaCos', 'ArcFace', 'MV-Softmax', 'CurricularFace', 'CircleLoss', 'NPCFace', 'MagFace', 'ArcNegFace', 'CosFace', 'AdaFace', 'ElasticFace', 'SubCenterArcFace'].map(
      (head): [string, Case] => [head, { head }],
    ),
  ),
  Triplet: { head: 'Triplet' },
  Contrastive: { head: 'Contrastive' },
  'distillation by embeddings, class probabilities and features, in two halves': {
    head: 'AM-Softmax',
    networks: ['backbone', 'teacher'],
    others: {
      imitation: { featDim: 8, numClass: 1, name: 'Distillation', values: {}, choices: { distance: 'cosine' } },
      probabilities: { featDim: 8, numClass: CLASSES, name: 'LogitDistillation', values: { temperature: 2, scale: 16, teacher_dim: 8 }, choices: { student_head: 'AM-Softmax', teacher_head: 'CosFace' } },
      hint: { featDim: 4, numClass: 1, name: 'Hint', values: { teacher_dim: 6 }, choices: {} },
    },
    program: accumulate(2, (share) => [
      batch(['images']),
      forward('teacher', 'images', 'wanted', { ...TEACHER, also: { hint: 'wanted hint' } }),
      forward('backbone', 'images', 'embeddings', { also: { hint: 'hint' } }),
      loss('imitation', 'embeddings', { name: 'distance', weight: share, gallery: 'wanted' }),
      loss('probabilities', 'embeddings', { name: 'divergence', weight: share, gallery: 'wanted', centresOf: 'head' }),
      loss('hint', 'hint', { name: 'difference', weight: share, gallery: 'wanted hint' }),
      loss('head', 'embeddings', { weight: share }),
      backward(),
    ]),
  },
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
  'ArcFace, the convolution frozen': { head: 'ArcFace', frozen: /conv/ },
  'bf16 gradients': { head: 'ArcFace', bfloat16: true },
}

const graphOf = (channels: number) => withLayerOutputs(build(new Net(channels), [3, SIZE, SIZE], 'Net'), { hint: 'prelu' })
const graphs: Readonly<Record<string, Graph>> = { backbone: graphOf(4), gallery: graphOf(4), teacher: graphOf(6) }
const peers = await joinPeers(worldOf(process.env), { join_seconds: 60, timeout_seconds: 60, silence_seconds: 20 })
addon().setThreads(1)
const results: Record<string, CaseReport> = {}
for (const [name, one] of Object.entries(CASES)) {
  const before = peers.group?.traffic().allReduced ?? 0
  results[name] = { losses: await losses(one), allReduced: (peers.group?.traffic().allReduced ?? 0) - before }
}
process.stdout.write(`${JSON.stringify(results)}\n`)
await peers.leave()

async function losses(one: Case): Promise<number[]> {
  const definition = findHead(one.head)
  const pieces = definition.create(definition.schema.parse({ feat_dim: 8, num_class: CLASSES, ...one.options }))
  const heads: Record<string, HeadPieces> = { ...one.others, head: one.sampleRate === undefined ? pieces : { ...pieces, sampleRate: one.sampleRate } }
  const options = { device: 'cpu', master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 } as const
  const networks = one.networks ?? ['backbone']
  const program = one.program ?? PLAIN
  const ends = program.some(({ verb }) => verb === 'backward') ? [update()] : [backward(), update()]
  const trainer = new (addon().Trainer)({
    networks: Object.fromEntries(networks.map((network) => [network, { graph: graphs[network]!, options }])),
    heads: Object.fromEntries(Object.entries(heads).map(([head, given]) => [head, { ...given, dtype: 'float64', device: 'cpu' }])),
    program: [...program, ...ends, ...(networks.includes('gallery') ? [average('backbone', 'gallery', 0.9)] : [])],
    seed: 3,
    onNonFinite: 'stop',
    group: peers.group,
    synchroniseStatistics: true,
    bucketBytes: 256,
    bfloat16Gradients: one.bfloat16 ?? false,
  })
  const names = trainer.parameters().map((parameter) => parameter.name).filter((name) => !/^(gallery|teacher)\./.test(name) && one.frozen?.test(name) !== true)
  const groups = [{ names, lrMultiplier: 1, weightDecay: 1e-3 }]
  if (one.optimizer === 'adamw') trainer.setOptimizer({ name: 'adamw', values: { beta1: 0.9, beta2: 0.999, eps: 1e-8 }, groups })
  else trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups })
  trainer.initialise(3)
  if ('probabilities' in heads) trainer.load([TEACHER_CENTRES])
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
