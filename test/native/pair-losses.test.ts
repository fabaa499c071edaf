import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { addon } from '../../lib/native.js'
import { packageRoot } from '../../lib/setup/places.js'
import { numbersFrom } from './head-checks.js'
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
const MININGS = ['all', 'random', 'semi-hard', 'hardest']

const runner = ({ head, margin, mining }: Pick<Case, 'head' | 'margin' | 'mining'>, dtype: 'float32' | 'float64' = 'float64', seed = 7) =>
  new HeadRunner(head, { feat_dim: D, num_class: 16, margin, mining }, dtype, false, seed)

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
    for (const mining of MININGS) {
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

/** 16 identities with 4 images each, near enough to each other that every miner has much to choose from. */
const BATCH = { labels: Array.from({ length: 64 }, (_, i) => (i * 7) % 16), embeddings: numbersFrom(3, 64 * D) }

/** Every pair of the batch in its order, with the squared distance of the unit embeddings. */
function pairsOf({ labels, embeddings }: typeof BATCH): { first: number; second: number; same: boolean; squared: number }[] {
  const unit = labels.map((_, i) => {
    const row = embeddings.slice(i * D, (i + 1) * D)
    return row.map((value) => value / Math.hypot(...row))
  })
  const squared = (a: number[], b: number[]) => 2 - 2 * a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  return labels.flatMap((label, first) => labels.flatMap((other, second) => (second <= first ? [] : [{ first, second, same: label === other, squared: squared(unit[first]!, unit[second]!) }])))
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const between = (value: number, least: number, most: number) => value > least - 1e-12 && value < most + 1e-12

t.test('triplets: each pair of an identity gets the negatives that the miner promises', async (t) => {
  const margin = 0.6
  const pairs = pairsOf(BATCH)
  const far = (a: number, b: number) => pairs.find(({ first, second }) => first === Math.min(a, b) && second === Math.max(a, b))!.squared
  // For each anchor and positive the losses of all negatives inside the margin, and of those behind the positive.
  const candidates = pairs.flatMap(({ first, second, same, squared }) => {
    if (!same) return []
    const losses = BATCH.labels.flatMap((label, other) => (label === BATCH.labels[first] ? [] : [squared - far(first, other) + margin])).filter((loss) => loss > 0)
    return [{ inside: ascending(losses), behind: ascending(losses.filter((loss) => loss < margin)) }]
  })
  const inside = candidates.map((pair) => pair.inside).filter(({ length }) => length > 0)
  const behind = candidates.map((pair) => pair.behind).filter(({ length }) => length > 0)
  const lossOf = (mining: string) => runner({ head: 'Triplet', margin, mining }).run(BATCH.embeddings, BATCH.labels).loss
  t.ok(Math.abs(lossOf('all') - mean(inside.flat())) < 1e-9)
  t.ok(Math.abs(lossOf('hardest') - mean(inside.map((losses) => losses.at(-1)!))) < 1e-9)
  t.ok(between(lossOf('random'), mean(inside.map((losses) => losses[0]!)), mean(inside.map((losses) => losses.at(-1)!))))
  t.ok(between(lossOf('semi-hard'), mean(behind.map((losses) => losses[0]!)), mean(behind.map((losses) => losses.at(-1)!))))
  t.ok(mean(behind.map(({ length }) => length)) > 2, 'there was a choice')
})

t.test('pairs: as many of different identities as of one, and those that the miner promises', async (t) => {
  const margin = 1.2
  const pairs = pairsOf(BATCH)
  const same = pairs.filter((pair) => pair.same).map(({ squared }) => squared)
  const push = ({ squared }: { squared: number }) => Math.max(0, margin - Math.sqrt(squared + 1e-9)) ** 2
  const others = pairs.filter((pair) => !pair.same)
  const [pushes, inside] = [others, others.filter(({ squared }) => squared < margin ** 2)].map((chosen) => ascending(chosen.map(push)))
  const count = same.length
  t.ok(inside!.length > 2 * count && pushes!.length > inside!.length, 'there was a choice')
  const withOthers = (chosen: readonly number[]) => mean([...same, ...chosen])
  const lossOf = (mining: string) => runner({ head: 'Contrastive', margin, mining }).run(BATCH.embeddings, BATCH.labels).loss
  t.ok(Math.abs(lossOf('all') - withOthers(pushes!)) < 1e-9)
  t.ok(Math.abs(lossOf('hardest') - withOthers(pushes!.slice(-count))) < 1e-9)
  t.ok(between(lossOf('random'), withOthers(pushes!.slice(0, count)), withOthers(pushes!.slice(-count))))
  t.ok(between(lossOf('semi-hard'), withOthers(inside!.slice(0, count)), withOthers(inside!.slice(-count))))
})

t.test('what is chosen and what comes out does not depend on the number of threads', async (t) => {
  t.teardown(() => addon().setThreads(2))
  for (const head of ['Contrastive', 'Triplet']) {
    for (const mining of MININGS) {
      const results = [1, 2, 3].map((threads) => {
        addon().setThreads(threads)
        const metric = runner({ head, margin: 1, mining })
        return [metric.run(BATCH.embeddings, BATCH.labels), metric.run(BATCH.embeddings, BATCH.labels)]
      })
      t.strictSame(results[1], results[0], `${head} ${mining}`)
      t.strictSame(results[2], results[0], `${head} ${mining}`)
    }
  }
})

t.test('everything stays finite where embeddings are equal, opposite or zero', async (t) => {
  const one = [1, 2, 3, 4, 5, 6]
  const embeddings = [...one, ...one, ...one.map((value) => -value), ...one.map(() => 0)]
  for (const head of ['Contrastive', 'Triplet']) {
    for (const mining of MININGS) {
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
