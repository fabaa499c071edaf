import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { packageRoot } from '../../lib/setup/places.js'
import { distance, HeadRunner } from './head-runner.js'

interface Case {
  readonly head: string
  readonly margin: number
  readonly mining: string
  readonly labels: number[]
  readonly embeddings: number[]
  readonly loss: number
  readonly grad: number[]
}

/** Made by PyTorch: test/fixtures/make_pair_losses.py. */
const CASES = JSON.parse(readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'pair-losses.json'), 'utf8')) as Case[]
const D = 6

const runner = ({ head, margin, mining }: Pick<Case, 'head' | 'margin' | 'mining'>, dtype: 'float32' | 'float64' = 'float64', seed = 7) =>
  new HeadRunner(head, { feat_dim: D, num_class: 4, margin, mining }, dtype, false, seed)

t.test('losses and gradients are those of PyTorch', async (t) => {
  for (const example of CASES) {
    for (const dtype of ['float64', 'float32'] as const) {
      const { loss, gradEmbeddings } = runner(example, dtype).run(example.embeddings, example.labels)
      const tolerance = dtype === 'float64' ? 1e-9 : 1e-5
      t.ok(Math.abs(loss - example.loss) < tolerance, `${example.head} ${example.margin} ${example.mining} ${dtype}: loss`)
      t.ok(distance(gradEmbeddings, example.grad) < tolerance, `${example.head} ${example.margin} ${example.mining} ${dtype}: gradient`)
    }
  }
})

t.test('gradients of every miner agree with finite differences', async (t) => {
  const { embeddings, labels } = CASES[0]!
  for (const head of ['Contrastive', 'Triplet']) {
    for (const mining of ['all', 'random', 'semi-hard', 'hardest']) {
      const metric = runner({ head, margin: 1, mining })
      const { gradEmbeddings } = metric.run(embeddings, labels, { adapt: false })
      const step = 1e-5
      const direction = embeddings.map((_, i) => Math.sin(i))
      const lossAt = (sign: number) => metric.run(embeddings.map((value, i) => value + sign * step * direction[i]!), labels, { adapt: false }).loss
      const slope = (lossAt(1) - lossAt(-1)) / (2 * step)
      const along = gradEmbeddings.reduce((sum, value, i) => sum + value * direction[i]!, 0)
      t.ok(Math.abs(slope - along) < 1e-6, `${head} ${mining}: ${slope} ${along}`)
    }
  }
})

t.test('random choices differ from step to step and go on from the saved state', async (t) => {
  const { embeddings, labels } = CASES[0]!
  for (const head of ['Contrastive', 'Triplet']) {
    const first = runner({ head, margin: 1, mining: 'random' })
    const losses = Array.from({ length: 4 }, () => first.run(embeddings, labels).loss)
    t.ok(new Set(losses).size > 1, `${head}: several choices`)
    const second = runner({ head, margin: 1, mining: 'random' }, 'float64', 99)
    second.head.load(first.head.state())
    t.equal(second.run(embeddings, labels).loss, first.run(embeddings, labels).loss, head)
  }
})

t.test('a triplet is semi-hard when its negative lies behind the positive, inside the margin', async (t) => {
  // Anchor, positive, then three identities: nearer than the positive, just behind it, far away.
  const angles = [0, 0.5, -0.3, -0.6, 3]
  const embeddings = angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle), 0, 0, 0, 0])
  const squared = (angle: number) => 2 - 2 * Math.cos(angle)
  const { loss } = runner({ head: 'Triplet', margin: 0.4, mining: 'semi-hard' }).run(embeddings, [0, 0, 1, 2, 3])
  t.ok(Math.abs(loss - (squared(0.5) - squared(0.6) + 0.4)) < 1e-12)
})

t.test('everything stays finite where embeddings are equal, opposite or zero', async (t) => {
  const one = [1, 2, 3, 4, 5, 6]
  const embeddings = [...one, ...one, ...one.map((value) => -value), ...one.map(() => 0)]
  for (const head of ['Contrastive', 'Triplet']) {
    for (const mining of ['all', 'random', 'semi-hard', 'hardest']) {
      const result = runner({ head, margin: 1.5, mining }, 'float32').run([...embeddings, ...one], [0, 0, 1, 1, 2])
      t.ok([result.loss, ...result.gradEmbeddings].every(Number.isFinite), `${head} ${mining}`)
    }
  }
})

t.test('a batch without two images of one identity is refused with the sampler that helps', async (t) => {
  const { embeddings } = CASES[0]!
  const refused = { code: 'ERR_CONFIG', message: /several images of one, got 3 identities in 3 images; data\.sampler p-k/ }
  t.throws(() => runner({ head: 'Triplet', margin: 1, mining: 'all' }).run(embeddings.slice(0, 3 * D), [0, 1, 2]), refused)
})
