import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { withLayerOutputs } from '../../lib/graph/outputs.js'
import type { HeadPieces } from '../../lib/heads/index.js'
import { build, Conv2d, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { addon, type NativeNetworkOptions } from '../../lib/native.js'
import { packageRoot } from '../../lib/setup/places.js'
import { backward, batch, forward, loss, update, type Verb } from '../../lib/training/program.js'
import { DEVICE } from './device.js'
import { distance, numbers, tensor } from './head-runner.js'

interface Entry {
  readonly shape: number[]
  readonly value: number[]
}

interface Case {
  readonly name: string
  readonly temperature: number
  readonly scale: number
  readonly images: Entry
  readonly before: Record<string, Entry>
  readonly loss: number
  readonly after: Record<string, Entry>
}

/** Made by PyTorch: test/fixtures/make_distillation.py. */
const CASES = JSON.parse(readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'distillation.json'), 'utf8')) as Case[]
const OPTIONS: NativeNetworkOptions = { device: DEVICE, master: 'float64', compute: 'float64', pixelMean: 0, pixelScale: 1 }
const CLASSES = 4

class Network extends Module {
  readonly features: Conv2d
  readonly flatten = new Flatten()
  readonly linear: Linear

  constructor(channels: number) {
    super()
    this.features = new Conv2d(3, channels, 3, { padding: 1, bias: true })
    this.linear = new Linear(channels * 4, 6)
  }

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(this.features.call(images)))
  }
}

/** Head and verb of a loss of the fixture. */
function imitation({ name, temperature, scale, before }: Case): { pieces: HeadPieces; verb: Verb } {
  const own = { numClass: 1, values: {}, choices: {} }
  if (name === 'divergence') {
    const pieces = { name: 'LogitDistillation', featDim: 6, numClass: CLASSES, values: { temperature, scale, teacher_dim: 6 }, choices: { student_head: 'AM-Softmax', teacher_head: 'ArcFace' } }
    return { pieces, verb: loss('imitation', 'embeddings', { gallery: 'wanted', centresOf: 'head' }) }
  }
  if (name.startsWith('hint')) {
    const values = { teacher_dim: before['teacher.features.weight']!.shape[0]! }
    return { pieces: { ...own, name: 'Hint', featDim: 4, values }, verb: loss('imitation', 'hint', { gallery: 'wanted hint' }) }
  }
  return { pieces: { ...own, name: 'Distillation', featDim: 6, choices: { distance: name } }, verb: loss('imitation', 'embeddings', { gallery: 'wanted' }) }
}

for (const example of CASES) {
  t.test(`distillation by ${example.name}: loss and one step of SGD are those of PyTorch`, async (t) => {
    const graph = (channels: number) => withLayerOutputs(build(new Network(channels), [3, 2, 2]), { features: 'features' })
    const { pieces, verb } = imitation(example)
    const head = { name: 'AM-Softmax', featDim: 6, numClass: CLASSES, values: { margin: 0.35, scale: 32 }, choices: {} }
    const trainer = new (addon().Trainer)({
      networks: {
        backbone: { graph: graph(4), options: OPTIONS },
        teacher: { graph: graph(example.before['teacher.features.weight']!.shape[0]!), options: OPTIONS },
      },
      heads: { imitation: { ...pieces, dtype: 'float64', device: DEVICE }, head: { ...head, dtype: 'float64', device: DEVICE } },
      program: [
        batch(['images']),
        forward('teacher', 'images', 'wanted', { gradient: false, batchStatistics: false, also: { features: 'wanted hint' } }),
        forward('backbone', 'images', 'embeddings', { also: { features: 'hint' } }),
        verb,
        backward(),
        update(),
      ],
      seed: 1,
      onNonFinite: 'stop',
    })
    const names = trainer.parameters().map(({ name }) => name).filter((name) => !name.startsWith('teacher.'))
    trainer.setOptimizer({ name: 'sgd', values: { momentum: 0, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 0 }] })
    trainer.initialise(3)
    trainer.load(Object.entries(example.before).map(([name, { shape, value }]) => tensor(name, 'float64', shape, value)))
    const batches = new (addon().MemoryBatches)()
    const labels = { name: 'labels', dtype: 'int64', shape: [5], data: new BigInt64Array(5).buffer } as const
    batches.push({ images: [tensor('images', 'float64', example.images.shape, example.images.value)], labels })
    const { losses } = await trainer.run({ loader: batches, lr: Float64Array.of(1), progressMs: 1e9 }, () => {})
    t.ok(Math.abs(losses[0]! - example.loss) < 1e-12, `loss ${losses[0]} against ${example.loss}`)
    const state = new Map((await trainer.state()).map((entry) => [entry.name, numbers(entry)]))
    for (const [name, { value }] of Object.entries(example.after)) t.ok(distance(state.get(name)!, value) < 1e-12, name)
    for (const [name, { value }] of Object.entries(example.before)) {
      if (!(name in example.after)) t.strictSame(state.get(name), value, `${name} stays`)
    }
  })
}
