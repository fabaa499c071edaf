import t from 'tap'

import { findHead } from '../../lib/heads/index.js'
import { build, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { addon, type NativeTensor, type NativeTrainer, type NativeVerb } from '../../lib/native.js'
import { backward, batch, clip, forward, loss, update } from '../../lib/training/program.js'
import { DEVICE } from './device.js'
import { noise, numbers, tensor } from './network-runner.js'

const D = 10

/** More parameters than fit one block of an update. */
class Net extends Module {
  readonly flatten = new Flatten()
  readonly linear = new Linear(3 * 28 * 28, D)

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(images))
  }
}

const graph = build(new Net(), [3, 28, 28], 'Net')
const LR = 0.02
const DECAY = 0.3
const STEP = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward(), update()]

type Values = Readonly<Record<string, readonly number[]>>

/** A trainer in float64 and the state that it starts from: weights by seed, slots filled with noise. */
async function makeTrainer(name: 'sgd' | 'adamw', values: Record<string, number>, program: readonly NativeVerb[] = STEP, weightDecay = DECAY): Promise<NativeTrainer> {
  const definition = findHead('CosFace')
  const pieces = definition.create(definition.schema.parse({ feat_dim: D, num_class: 4 }))
  const trainer = new (addon().Trainer)({
    networks: { backbone: { graph, options: { device: DEVICE, master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 } } },
    heads: { head: { ...pieces, dtype: 'float64', device: DEVICE } },
    program,
    seed: 3,
    onNonFinite: 'stop',
  })
  trainer.setOptimizer({ name, values, groups: [{ names: trainer.parameters().map((parameter) => parameter.name), lrMultiplier: 1, weightDecay }] })
  trainer.initialise(3)
  trainer.load(
    (await trainer.state())
      .filter((entry) => entry.name.startsWith('optimizer.'))
      .map(({ name, shape, data }) => tensor(name, 'float64', shape, noise(name, data.byteLength / 8).map((value) => value ** 2))),
  )
  trainer.loadCounters({ ...trainer.counters(), updates: 4 })
  return trainer
}

async function step(trainer: NativeTrainer): Promise<Values> {
  const pixels = Uint8Array.from({ length: 8 * 28 * 28 * 3 }, (_, i) => (i * 31 + (i >> 7) * 17) % 256)
  const source = new (addon().MemoryBatches)()
  source.push({
    images: [{ name: 'images', dtype: 'uint8', shape: [8, 28, 28, 3], data: pixels.buffer }],
    labels: { name: 'labels', dtype: 'int64', shape: [8], data: BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i % 4)).buffer },
  })
  await trainer.run({ loader: source, lr: Float64Array.of(LR), progressMs: 1e9 }, () => {})
  return values(trainer)
}

const values = async (trainer: NativeTrainer): Promise<Values> => Object.fromEntries((await trainer.state()).map((entry: NativeTensor) => [entry.name, numbers(entry)]))

const PARAMETERS = ['backbone.linear.weight', 'backbone.linear.bias', 'head.weight']

/** The gradients at the start: what plain descent takes off. */
async function gradients(): Promise<{ start: Values; gradient: Values }> {
  const plain = await makeTrainer('sgd', { momentum: 0, nesterov: 0 }, STEP, 0)
  const start = await values(plain)
  const after = await step(plain)
  return { start, gradient: Object.fromEntries(PARAMETERS.map((name) => [name, start[name]!.map((value, i) => (value - after[name]![i]!) / LR)])) }
}

const largest = (found: readonly number[], expected: (i: number) => number): number => found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected(i))), 0)

for (const nesterov of [0, 1]) {
  t.test(`sgd is PyTorch's formula with ${nesterov ? "Nesterov's" : 'plain'} momentum, in every block`, async (t) => {
    const { start, gradient } = await gradients()
    const trainer = await makeTrainer('sgd', { momentum: 0.9, nesterov })
    const before = await values(trainer)
    const after = await step(trainer)
    for (const name of PARAMETERS) {
      const slope = (i: number) => gradient[name]![i]! + DECAY * start[name]![i]!
      const velocity = (i: number) => 0.9 * before[`optimizer.momentum.${name}`]![i]! + slope(i)
      t.ok(largest(after[`optimizer.momentum.${name}`]!, velocity) < 1e-9, `momentum of ${name}`)
      t.ok(largest(after[name]!, (i) => start[name]![i]! - LR * (nesterov ? slope(i) + 0.9 * velocity(i) : velocity(i))) < 1e-9, name)
    }
  })
}

t.test("adamw is PyTorch's formula, bias corrections included", async (t) => {
  const { start, gradient } = await gradients()
  const trainer = await makeTrainer('adamw', { beta1: 0.9, beta2: 0.99, eps: 1e-8 })
  const before = await values(trainer)
  const after = await step(trainer)
  t.equal(trainer.counters()['updates'], 5)
  for (const name of PARAMETERS) {
    const mean = (i: number) => 0.9 * before[`optimizer.exp_avg.${name}`]![i]! + 0.1 * gradient[name]![i]!
    const square = (i: number) => 0.99 * before[`optimizer.exp_avg_sq.${name}`]![i]! + 0.01 * gradient[name]![i]! ** 2
    const change = (i: number) => mean(i) / (1 - 0.9 ** 5) / (Math.sqrt(square(i) / (1 - 0.99 ** 5)) + 1e-8)
    t.ok(largest(after[`optimizer.exp_avg.${name}`]!, mean) < 1e-9, `first moment of ${name}`)
    t.ok(largest(after[`optimizer.exp_avg_sq.${name}`]!, square) < 1e-9, `second moment of ${name}`)
    t.ok(largest(after[name]!, (i) => (1 - LR * DECAY) * start[name]![i]! - LR * change(i)) < 1e-9, name)
  }
})

t.test('clipping multiplies all gradients by limit / norm before decay and momentum', async (t) => {
  const { start, gradient } = await gradients()
  const norm = Math.sqrt(PARAMETERS.flatMap((name) => gradient[name]!).reduce((sum, value) => sum + value ** 2, 0))
  const limit = norm / 3
  const trainer = await makeTrainer('sgd', { momentum: 0.9, nesterov: 0 }, [...STEP.slice(0, 4), clip(limit), update()])
  const before = await values(trainer)
  const after = await step(trainer)
  for (const name of PARAMETERS) {
    const velocity = (i: number) => 0.9 * before[`optimizer.momentum.${name}`]![i]! + gradient[name]![i]! / 3 + DECAY * start[name]![i]!
    t.ok(largest(after[`optimizer.momentum.${name}`]!, velocity) < 1e-9, name)
  }
})
