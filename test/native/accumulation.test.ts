import t from 'tap'

import { findHead } from '../../lib/heads/index.js'
import { build, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { addon, type NativeMemoryBatches, type NativeTrainer } from '../../lib/native.js'
import { accumulate, backward, batch, clip, forward, loss, update } from '../../lib/training/program.js'
import { numbersFrom } from './head-checks.js'
import { distance, numbers } from './head-runner.js'

const [SIZE, SAMPLES, STEPS] = [4, 8, 3]

/** Without batch norm, whose statistics are those of one forward pass. */
class Net extends Module {
  readonly flatten = new Flatten()
  readonly linear = new Linear(3 * SIZE * SIZE, 8)

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(images))
  }
}

const network = { graph: build(new Net(), [3, SIZE, SIZE], 'Net'), options: { device: 'cpu', master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 } } as const

function trainer(passes: number): NativeTrainer {
  // AdaM-Softmax adds a regulariser to its loss, which must count once.
  const definition = findHead('AdaM-Softmax')
  const head = { ...definition.create(definition.schema.parse({ feat_dim: 8, num_class: 5 })), dtype: 'float64', device: 'cpu' } as const
  const program = [
    ...accumulate(passes, (share) => [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings', { weight: share }), backward()]),
    clip(5),
    update(),
  ]
  const made = new (addon().Trainer)({ networks: { backbone: network }, heads: { head }, program, seed: 3, onNonFinite: 'stop' })
  made.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names: made.parameters().map(({ name }) => name), lrMultiplier: 1, weightDecay: 1e-3 }] })
  made.initialise(3)
  return made
}

/** The same samples, all of a step in one batch or in several. */
function batches(passes: number): NativeMemoryBatches {
  const source = new (addon().MemoryBatches)()
  const [pixelsEach, count] = [SIZE * SIZE * 3, SAMPLES / passes]
  const pixels = Uint8Array.from(numbersFrom(1, STEPS * SAMPLES * pixelsEach), (value) => 128 + 100 * value)
  for (let first = 0; first < STEPS * SAMPLES; first += count) {
    source.push({
      images: [{ name: 'images', dtype: 'uint8', shape: [count, SIZE, SIZE, 3], data: pixels.slice(first * pixelsEach, (first + count) * pixelsEach).buffer }],
      labels: { name: 'labels', dtype: 'int64', shape: [count], data: BigInt64Array.from({ length: count }, (_, i) => BigInt((first + i) % 5)).buffer },
    })
  }
  return source
}

t.test('gradients of two or four forward passes make the step of one batch: loss, clipping, weights and momentum', async (t) => {
  const [whole, ...parts] = await Promise.all([1, 2, 4].map(async (passes) => {
    const made = trainer(passes)
    const { losses } = await made.run({ loader: batches(passes), lr: new Float64Array(STEPS).fill(0.05), progressMs: 1e9 }, () => {})
    return { losses: [...losses], state: await made.state(), step: made.counters()['step'] }
  }))
  t.equal(whole!.losses.length, STEPS)
  for (const { losses, state, step } of parts) {
    t.equal(step, STEPS, 'a step is a step, however many passes it takes')
    t.ok(distance(losses, whole!.losses) < 1e-12, 'losses')
    for (const [i, entry] of state.entries()) t.ok(distance(numbers(entry), numbers(whole!.state[i]!)) < 1e-12, entry.name)
  }
})
