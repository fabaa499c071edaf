import t from 'tap'

import { findSampler, type EpochOrder } from '../../lib/data/samplers/index.js'

/** Class k has k + 1 images; samples of a class are not neighbours. */
const CLASSES = 12
const labels = Int32Array.from(
  Array.from({ length: CLASSES }, (_, round) => Array.from({ length: CLASSES }, (_, k) => k).filter((k) => k >= round)).flat(),
)

function make(name: string, options: Record<string, unknown> = {}, batchSize = 4, seed = 5): EpochOrder {
  const sampler = findSampler(name)
  const parts = [{ first: 0, size: labels.length, weight: 1 }]
  return sampler.create(sampler.schema.parse(options), { labels, classCount: CLASSES, batchSize, seed, parts })
}

for (const name of ['shuffle', 'balanced', 'pairs', 'p-k']) {
  t.test(`${name}: the order is a pure function of seed and epoch`, (t) => {
    t.same(make(name).order(3), make(name).order(3))
    const sampler = make(name)
    const third = sampler.order(3)
    sampler.order(7)
    t.same(sampler.order(3), third, 'whatever was asked before')
    t.notSame(sampler.order(4), third)
    t.notSame(make(name, {}, 4, 6).order(3), third)
    t.end()
  })
}

t.test('shuffle: every sample once', (t) => {
  t.same([...make('shuffle').order(0)].sort((a, b) => a - b), [...labels.keys()])
  t.end()
})

t.test('shuffle: a mixed source takes part by its weight', (t) => {
  const sampler = findSampler('shuffle')
  const parts = [{ first: 0, size: 60, weight: 2.5 }, { first: 60, size: 18, weight: 0.5 }]
  const order = sampler.create({}, { labels, classCount: CLASSES, batchSize: 4, seed: 1, parts }).order(0)
  t.equal(order.filter((index) => index < 60).length, 150)
  t.equal(order.filter((index) => index >= 60).length, 9)
  t.ok([...Array(60).keys()].every((index) => [2, 3].includes(order.filter((i) => i === index).length)), 'each two or three times')
  t.end()
})

t.test('a weight that a sampler has no use for is refused', (t) => {
  for (const name of ['balanced', 'pairs', 'p-k']) {
    const sampler = findSampler(name)
    const parts = [{ first: 0, size: 60, weight: 1 }, { first: 60, size: 18, weight: 2 }]
    const create = () => sampler.create(sampler.schema.parse({}), { labels, classCount: CLASSES, batchSize: 4, seed: 1, parts })
    t.throws(create, { code: 'ERR_CONFIG', message: new RegExp(`data.train\\[1\\].weight: sampler "${name}" draws by identity`) })
  }
  t.end()
})

t.test('balanced: every class equally often', (t) => {
  const order = make('balanced').order(0)
  const counts = Array.from({ length: CLASSES }, (_, k) => order.filter((index) => labels[index] === k).length)
  t.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join())
  t.equal(order.length, labels.length)
  t.end()
})

t.test('pairs: every identity once, with two different images where it has them', (t) => {
  const order = make('pairs').order(2)
  t.equal(order.length, 2 * CLASSES)
  const identities: number[] = []
  for (let i = 0; i < order.length; i += 2) {
    const identity = labels[order[i]!]!
    identities.push(identity)
    t.equal(labels[order[i + 1]!], identity)
    if (identity > 0) t.not(order[i], order[i + 1])
  }
  t.same(identities.sort((a, b) => a - b), [...Array(CLASSES).keys()])
  t.end()
})

t.test('pairs: identities at the end of an epoch are left out of the next', (t) => {
  const sampler = make('pairs', { exclude_recent: 5 })
  const identities = (epoch: number) => [...sampler.order(epoch)].filter((_, i) => i % 2 === 0).map((index) => labels[index]!)
  for (const epoch of [1, 2, 6]) {
    const before = identities(epoch - 1)
    const trained = before.slice(0, before.length - (before.length % 4))
    const expected = [...Array(CLASSES).keys()].filter((identity) => !trained.slice(-5).includes(identity))
    t.same(identities(epoch).sort((a, b) => a - b), expected)
  }
  t.throws(() => make('pairs', { exclude_recent: 9 }), { code: 'ERR_CONFIG' })
  t.end()
})

t.test('p-k: each batch has P identities with K images each', (t) => {
  const order = make('p-k', { k: 3 }, 12).order(1)
  t.equal(order.length % 12, 0)
  for (let from = 0; from < order.length; from += 12) {
    const batch = [...order.subarray(from, from + 12)].map((index) => labels[index]!)
    const identities = new Set(batch)
    t.equal(identities.size, 4)
    for (const identity of identities) t.equal(batch.filter((label) => label === identity).length, 3)
    t.notOk(identities.has(0), 'the identity with one image is left out')
  }
  t.throws(() => make('p-k', { k: 3 }, 8), { code: 'ERR_CONFIG', message: /multiple of data.sampler.k/ })
  t.throws(() => make('p-k', { k: 2, min_images: 12 }, 8), { code: 'ERR_DATA', message: /at least 4 identities/ })
  t.end()
})

t.test('an unknown sampler is named with the nearest known one', (t) => {
  t.throws(() => findSampler('shufle'), { code: 'ERR_CONFIG', message: /did you mean "shuffle"/ })
  t.end()
})
