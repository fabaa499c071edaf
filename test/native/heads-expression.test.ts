import t from 'tap'
import { z } from 'zod'

import { acos, addAngle, constant, cos, exp, expressionHead, log, norm, otherCosine, ownCosine, sqrt } from '../../lib/heads/expression.js'
import { HeadRunner, distance } from './head-runner.js'

const D = 8
const K = 7
const CONFIG = { feat_dim: D, num_class: K }
const features = Array.from({ length: 4 * D }, (_, i) => 3 * Math.sin(1.7 * i + 0.3))
const labels = [0, 3, 3, 6]

/** Every word of the language, and logits that depend on the own cosine and the norm as well. */
const rich = expressionHead({
  name: 'Rich',
  summary: 'everything an expression can say',
  options: { margin: z.number().default(0.3), scale: z.number().default(16) },
  logits: ({ margin, scale }) => ({
    own: cos(acos(ownCosine).plus(norm.times(0.02).atMost(margin))).times(scale),
    other: otherCosine
      .above(ownCosine.minus(0.2), otherCosine.times(exp(ownCosine.times(0.1))).plus(sqrt(norm).over(50)), otherCosine.minus(constant(ownCosine).times(0.05)))
      .atLeast(-0.9)
      .times(scale),
    regulariser: log(norm).times(0.1),
  }),
})

const arcFace = expressionHead({
  name: 'MyArcFace',
  summary: 'ArcFace as a user would write it',
  options: { margin: z.number().default(0.35), scale: z.number().default(32) },
  logits: ({ margin, scale }) => ({
    own: ownCosine.above(Math.cos(Math.PI - margin), addAngle(ownCosine, margin), ownCosine).times(scale),
    other: otherCosine.times(scale),
  }),
})

t.test('a head written in TypeScript gives the numbers of the same head in C++', async (t) => {
  const mine = new HeadRunner(arcFace, CONFIG, 'float64', false)
  const theirs = new HeadRunner('ArcFace', CONFIG, 'float64', false)
  mine.head.load(theirs.head.state())
  const [actual, expected] = [mine.run(features, labels), theirs.run(features, labels)]
  t.ok(distance([actual.loss], [expected.loss]) < 1e-12)
  t.ok(distance(actual.logits, expected.logits) < 1e-12)
  t.ok(distance(actual.gradEmbeddings, expected.gradEmbeddings) < 1e-12)
  t.ok(distance(actual.grads['weight']!, expected.grads['weight']!) < 1e-12)
})

t.test('gradients of an expression agree between kernel and autograd', async (t) => {
  const [fused, reference] = [false, true].map((form) => new HeadRunner(rich, CONFIG, 'float64', form).run(features, labels, { gradScale: 2 }))
  t.ok(distance([fused!.loss, fused!.extraLoss], [reference!.loss, reference!.extraLoss]) < 1e-12)
  t.ok(distance(fused!.logits, reference!.logits) < 1e-12)
  t.ok(distance(fused!.gradEmbeddings, reference!.gradEmbeddings) < 1e-9)
  t.ok(distance(fused!.grads['weight']!, reference!.grads['weight']!) < 1e-9)
})

t.test('gradients of an expression agree with finite differences', async (t) => {
  const plain = expressionHead({
    name: 'Plain',
    summary: 'smooth, so that differences are exact enough',
    options: {},
    logits: () => ({ own: addAngle(ownCosine, norm.over(40)).times(16), other: otherCosine.times(16).plus(ownCosine.times(norm)), regulariser: norm.times(norm) }),
  })
  const head = new HeadRunner(plain, CONFIG, 'float64', false)
  const { gradEmbeddings } = head.run(features, labels)
  for (const i of [0, 5, D + 1, 3 * D + 2]) {
    const loss = (shift: number) => head.run(features.map((value, j) => (j === i ? value + shift : value)), labels).loss
    t.ok(Math.abs((loss(1e-5) - loss(-1e-5)) / 2e-5 - gradEmbeddings[i]!) < 1e-6)
  }
})

t.test('a head written in TypeScript trains', async (t) => {
  const head = new HeadRunner(rich, CONFIG, 'float32', false)
  const request = { embeddings: head.features(features), labels: head.labels(labels), lr: 0.1, momentum: 0.9 }
  const first = head.head.step(request)
  for (let step = 0; step < 30; step++) head.head.step(request)
  t.ok(head.head.step(request) < first / 2)
})

t.test('mistakes in an expression are named', async (t) => {
  const head = (own: typeof ownCosine) => expressionHead({ name: 'Wrong', summary: '', options: {}, logits: () => ({ own, other: otherCosine }) })
  t.throws(() => head(otherCosine).create({ feat_dim: D, num_class: K }), { code: 'ERR_CONFIG', message: /Wrong, own: otherCosine/ })
  t.throws(() => ownCosine.times(Number.NaN), { code: 'ERR_CONFIG', message: /finite number/ })
  const broken = { ...ownCosine, code: 'cos_y frob' } as typeof ownCosine
  t.throws(() => new HeadRunner(head(broken), CONFIG, 'float64', false), { code: 'ERR_CONFIG', message: /"frob"/ })
})
