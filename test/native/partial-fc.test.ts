import t from 'tap'

import { HEADS, findHead } from '../../lib/heads/index.js'
import { build, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { addon, type NativeMemoryBatches, type NativeTrainer } from '../../lib/native.js'
import { backward, batch, forward, loss, update } from '../../lib/training/program.js'
import { DEVICE } from './device.js'
import { HeadRunner, distance, numbers } from './head-runner.js'

const D = 8
const K = 20
const WITHOUT_CENTRES = ['SST_Prototype', 'Contrastive', 'Triplet']
const NAMES = HEADS.map((head) => head.name).filter((name) => !WITHOUT_CENTRES.includes(name))
const features = Array.from({ length: 4 * D }, (_, i) => 5 * Math.sin(1.7 * i + 0.3))
const labels = [3, 19, 3, 0]

function runner(name: string, sampleRate?: number, reference = false): HeadRunner {
  const rate = sampleRate === undefined ? {} : { sample_rate: sampleRate }
  return new HeadRunner(name, { feat_dim: D, num_class: K, ...rate }, 'float64', reference)
}

/** Class of every centre whose gradient is not all zero. */
function classesWithGradient(head: HeadRunner, grad: readonly number[]): number[] {
  const matrix = head.head.state()[0]!
  const [rows, columns] = matrix.shape as [number, number]
  const centres = matrix.shape[0] === D ? columns : rows
  const value = (centre: number, d: number) => grad[matrix.shape[0] === D ? d * columns + centre : centre * D + d]!
  const touched = Array.from({ length: centres }, (_, centre) => centre).filter((centre) => Array.from({ length: D }, (_, d) => value(centre, d)).some((x) => x !== 0))
  return [...new Set(touched.map((centre) => Math.floor((centre * K) / centres)))]
}

for (const name of NAMES) {
  t.test(`${name}: a sample of all classes gives the numbers of the full head`, async (t) => {
    for (const reference of [false, true]) {
      const [full, sampled] = [runner(name, undefined, reference), runner(name, 0.999, reference)]
      for (let step = 0; step < 2; step++) {
        const [expected, actual] = [full.run(features, labels), sampled.run(features, labels, { randomKey: step })]
        t.ok(distance([actual.loss, actual.extraLoss], [expected.loss, expected.extraLoss]) < 1e-12, 'loss')
        t.ok(distance(actual.gradEmbeddings, expected.gradEmbeddings) < 1e-12, 'gradient of embeddings')
        t.strictSame(Object.keys(actual.grads), Object.keys(expected.grads))
        for (const [entry, grad] of Object.entries(expected.grads)) t.ok(distance(actual.grads[entry]!, grad) < 1e-12, `gradient of ${entry}`)
        t.strictSame(sampled.state(), full.state(), 'state')
      }
    }
  })

  t.test(`${name}: only sampled classes have a gradient, those of the batch always`, async (t) => {
    const head = runner(name, 0.3)
    const result = head.run(features, labels, { randomKey: 11, adapt: false })
    t.equal(result.logits.length, 4 * 6)
    const classes = classesWithGradient(head, Object.values(result.grads)[0]!)
    t.ok(classes.length <= 6, `${classes.length} classes`)
    t.ok([0, 3, 19].every((label) => classes.includes(label)))
    t.strictSame(head.run(features, labels, { randomKey: 11, adapt: false }), result, 'the same key draws the same classes')
  })
}

t.test('over many keys every other class is drawn equally often', async (t) => {
  const head = runner('ArcFace', 0.3)
  const counts = new Array<number>(K).fill(0)
  for (let key = 0; key < 2000; key++) {
    const { grads } = head.run(features, labels, { randomKey: key })
    for (const label of classesWithGradient(head, grads['weight']!)) counts[label]!++
  }
  t.strictSame([0, 3, 19].map((label) => counts[label]), [2000, 2000, 2000])
  const others = counts.filter((_, label) => ![0, 3, 19].includes(label))
  const expected = (2000 * 3) / 17
  t.ok(others.every((count) => Math.abs(count - expected) < 5 * Math.sqrt(expected)), `${others.join(' ')}, expected ${expected.toFixed(0)} each`)
})

t.test('a batch with more identities than the sample has room for is kept whole', async (t) => {
  const head = runner('ArcFace', 0.05)
  t.equal(head.run(features, [3, 19, 7, 0]).logits.length, 4 * 4)
  t.equal(head.run(features, labels).logits.length, 4 * 3)
})

t.test('a head without class centres takes no sample_rate', async (t) => {
  for (const name of WITHOUT_CENTRES) t.equal(findHead(name).schema.safeParse({ sample_rate: 0.1 }).success, false, name)
})

t.test('a step changes the centres of the sample only, and momentum stays with its centre', async (t) => {
  const head = runner('CosFace', 0.3)
  const step = (randomKey: number) => {
    const before = head.state()['weight']!
    head.head.step({ embeddings: head.features(features), labels: head.labels(labels), lr: 0.1, momentum: 0.9, weightDecay: 0.01, randomKey })
    const after = head.state()['weight']!
    return Array.from({ length: K }, (_, k) => k).filter((k) => after.slice(k * D, k * D + D).some((value, d) => value !== before[k * D + d]))
  }
  const first = step(1)
  const second = step(2)
  t.equal(first.length, 6)
  t.equal(second.length, 6)
  t.notSame(first, second)
})

class Net extends Module {
  readonly flatten = new Flatten()
  readonly linear = new Linear(3 * 4 * 4, D)

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(images))
  }
}

const graph = build(new Net(), [3, 4, 4], 'Net')
const network = { graph, options: { device: DEVICE, master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 } } as const
const STEP = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward(), update()]
/** Two batches, each with a sample of its own, make one step. */
const ACCUMULATED = [...STEP.slice(0, 4), ...STEP]

function makeTrainer(optimizer: 'sgd' | 'adamw', program = STEP): NativeTrainer {
  const definition = findHead('AdaM-Softmax')
  const pieces = definition.create(definition.schema.parse({ feat_dim: D, num_class: 50, sample_rate: 0.3 }))
  const trainer = new (addon().Trainer)({ networks: { backbone: network }, heads: { head: { ...pieces, dtype: 'float32', device: DEVICE } }, program, seed: 3, onNonFinite: 'stop' })
  const values: Record<string, number> = optimizer === 'sgd' ? { momentum: 0.9, nesterov: 0 } : { beta1: 0.9, beta2: 0.999, eps: 1e-8 }
  trainer.setOptimizer({ name: optimizer, values, groups: [{ names: trainer.parameters().map(({ name }) => name), lrMultiplier: 1, weightDecay: 1e-3 }] })
  trainer.initialise(3)
  return trainer
}

function batches(from: number, to: number): NativeMemoryBatches {
  const source = new (addon().MemoryBatches)()
  for (let b = from; b < to; b++) {
    const pixels = Uint8Array.from({ length: 8 * 48 }, (_, i) => (i * 31 + b * 17) % 256)
    source.push({
      images: [{ name: 'images', dtype: 'uint8', shape: [8, 4, 4, 3], data: pixels.buffer }],
      labels: { name: 'labels', dtype: 'int64', shape: [8], data: BigInt64Array.from({ length: 8 }, (_, i) => BigInt((i * 7 + b) % 50)).buffer },
    })
  }
  return source
}

const run = (trainer: NativeTrainer, from: number, to: number, eachStep = 1) =>
  trainer.run({ loader: batches(from * eachStep, to * eachStep), lr: new Float64Array(to - from).fill(0.05), progressMs: 1e9 }, () => {})

for (const optimizer of ['sgd', 'adamw'] as const) {
  for (const [what, program, eachStep] of [['one batch', STEP, 1], ['two batches', ACCUMULATED, 2]] as const) {
    t.test(`a run with Partial FC goes on from its state in the same bits: ${optimizer}, ${what} a step`, async (t) => {
      const straight = makeTrainer(optimizer, [...program])
      await run(straight, 0, 3, eachStep)
      const resumed = makeTrainer(optimizer, [...program])
      resumed.load(await straight.state())
      resumed.loadCounters(straight.counters())
      const [expected, actual] = [await run(straight, 3, 6, eachStep), await run(resumed, 3, 6, eachStep)]
      t.strictSame(actual.losses, expected.losses)
      const values = async (trainer: NativeTrainer) => Object.fromEntries((await trainer.state()).map((entry) => [entry.name, numbers(entry)]))
      t.strictSame(await values(resumed), await values(straight))
    })
  }
}

t.test('momentum of classes that no step drew is zero, and their centres are as they began', async (t) => {
  const trainer = makeTrainer('sgd')
  const entry = async (name: string) => numbers((await trainer.state()).find((candidate) => candidate.name === name)!)
  const before = await entry('head.kernel')
  await run(trainer, 0, 1)
  const [after, momentum] = [await entry('head.kernel'), await entry('optimizer.momentum.head.kernel')]
  const columns = Array.from({ length: 50 }, (_, k) => k)
  const moved = columns.filter((k) => Array.from({ length: D }, (_, d) => d * 50 + k).some((i) => after[i] !== before[i]))
  const pushed = columns.filter((k) => Array.from({ length: D }, (_, d) => d * 50 + k).some((i) => momentum[i] !== 0))
  t.equal(moved.length, 15)
  t.strictSame(pushed, moved)
})
