/** The head of semi-siamese training under the contract that heads-contract.test.ts holds the others to. */
import path from 'node:path'

import t from 'tap'

import { allFinite, dot, near, numbersFrom, throughCheckpoint } from './head-checks.js'
import { HeadRunner, distance } from './head-runner.js'

const D = 8
const SLOTS = 6
const TYPES = ['softmax', 'am_softmax', 'arc_softmax'] as const

interface Form {
  readonly type?: (typeof TYPES)[number]
  readonly slots?: number
  readonly dtype?: 'float32' | 'float64'
  readonly reference?: boolean
  readonly seed?: number
}

function runner({ type = 'am_softmax', slots = SLOTS, dtype = 'float64', reference = false, seed = 7 }: Form = {}): HeadRunner {
  return new HeadRunner('SST_Prototype', { feat_dim: D, queue_size: slots, loss_type: type }, dtype, reference, seed)
}

/** Embeddings of a batch, in lengths as networks give them. */
const features = (seed: number, count: number) => numbersFrom(seed, count * D).map((value) => value * 9)

for (const type of TYPES) {
  t.test(`${type}: fused and reference form agree while the queue turns over`, async (t) => {
    const [fused, reference] = [runner({ type }), runner({ type, reference: true })]
    // Six slots in steps of two: after four steps the oldest prototypes are gone. Identity 3 comes back.
    for (const [step, identities] of [[3, 5], [3, 3], [8, 3], [1, 8]].entries()) {
      const [probes, gallery] = [features(step + 1, 2), features(step + 11, 2)]
      const [actual, expected] = [fused, reference].map((head) => head.run(probes, identities, { gallery, gradScale: 3 }))
      const finite = (logits: readonly number[]) => logits.map((logit) => (Number.isFinite(logit) ? logit : -1e3))
      t.ok(distance([actual!.loss], [expected!.loss]) < 1e-12, 'loss')
      t.ok(distance(finite(actual!.logits), finite(expected!.logits)) < 1e-12, 'logits, and which of them are masked')
      t.ok(distance(actual!.gradEmbeddings, expected!.gradEmbeddings) < 1e-9, 'gradient of embeddings')
      for (const head of [fused, reference]) head.enqueue(gallery, identities)
      for (const [entry, value] of Object.entries(reference.state())) t.ok(distance(fused.state()[entry]!, value) < 1e-12, entry)
    }
  })

  t.test(`${type}: the gradient of the embeddings agrees with finite differences, and prototypes have none`, async (t) => {
    const head = runner({ type })
    head.enqueue(features(1, 3), [4, 5, 6])
    const [probes, gallery, identities] = [features(2, 3), features(3, 3), [5, 7, 7]]
    const loss = (at: readonly number[]) => head.run(at, identities, { gallery }).loss
    const { gradEmbeddings, grads } = head.run(probes, identities, { gallery })
    const along = numbersFrom(4, probes.length)
    const moved = (sign: number) => probes.map((value, i) => value + sign * 1e-5 * along[i]!)
    t.ok(near(dot(gradEmbeddings, along), (loss(moved(1)) - loss(moved(-1))) / 2e-5))
    t.strictSame(grads, {})
  })

  t.test(`${type}: everything is finite at the edges`, async (t) => {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const reference of [false, true]) {
        const what = `${reference ? 'reference' : 'fused'} ${dtype}`
        const head = runner({ type, dtype, reference })
        const one = features(1, 1)
        const scaled = (factor: number) => one.map((value) => value * factor)
        const check = (on: HeadRunner, probes: number[], identities: number[], gallery: number[], title: string) => {
          t.ok(allFinite(on.run(probes, identities, { gallery }), { logits: false }), `${title}, ${what}`)
        }
        check(head, [...one, ...scaled(-3)], [0, 1], [...one, ...one], 'cosines of ±1 with the own prototype and others')
        check(head, one, [0], scaled(2), 'batch of one')
        check(head, scaled(0), [0], one, 'embedding of zeros')
        check(head, one, [0], scaled(0), 'prototype of zeros')
        check(head, features(2, 3), [2, 2, 2], features(3, 3), 'repeated identities')
        check(runner({ type, slots: 1, dtype, reference }), one, [0], features(4, 1), 'a queue of one slot')
        const alike = runner({ type, slots: 2, dtype, reference })
        check(alike, features(5, 2), [6, 6], features(6, 2), 'no other identity in the whole queue')
      }
    }
  })
}

t.test('a slot of the same identity is no negative, and a row whose negatives are all its own learns nothing', async (t) => {
  for (const reference of [false, true]) {
    const head = runner({ type: 'softmax', slots: 4, reference })
    head.enqueue(features(1, 2), [5, 6])
    const { logits, loss } = head.run(features(2, 2), [6, 7], { gallery: features(3, 2) })
    t.strictSame(logits.map(Number.isFinite), [true, false, true, true, true, true, true, true])
    t.ok(Number.isFinite(loss))
    const alone = runner({ type: 'softmax', slots: 2, reference }).run(features(4, 2), [1, 1], { gallery: features(5, 2) })
    t.ok(Math.abs(alone.loss) < 1e-12)
    t.ok(alone.gradEmbeddings.every((value) => Math.abs(value) < 1e-12))
  }
})

t.test('a batch that does not fit the queue, or has no gallery, is refused', async (t) => {
  for (const reference of [false, true]) {
    const head = runner({ slots: 4, reference })
    t.throws(() => head.run(features(2, 5), [0, 1, 2, 3, 4], { gallery: features(3, 5) }), { code: 'ERR_CONFIG', message: /1 to queue_size = 4 samples, got 5/ })
    t.throws(() => head.run(features(2, 2), [0, 1]), { message: /expected embeddings and gallery/ })
  }
})

t.test('the queue goes on from a checkpoint as if never stopped', async (t) => {
  const step = (head: HeadRunner, seed: number) => {
    const [gallery, identities] = [features(seed + 50, 2), [seed % 3, 4]]
    const result = head.run(features(seed, 2), identities, { gallery })
    head.enqueue(gallery, identities)
    return result
  }
  const first = runner()
  for (let seed = 1; seed < 5; seed++) step(first, seed)
  const second = runner({ seed: 99 })
  second.head.load(await throughCheckpoint(path.join(t.testdir(), 'head.facex'), first.head.state()))
  for (let seed = 5; seed < 9; seed++) t.strictSame(step(second, seed), step(first, seed))
  t.strictSame(second.state(), first.state())
})
