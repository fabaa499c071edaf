/** Accuracy rules, ROC and folds against golden figures and answers worked out by hand. */
import { readFileSync } from 'node:fs'

import t, { type Test } from 'tap'

import { wilsonInterval } from '../../lib/evaluation/confidence.js'
import { makeFolds } from '../../lib/evaluation/folds.js'
import { areaUnderCurve, equalErrorRate, operatingPoint, rocCurve } from '../../lib/evaluation/roc.js'
import { findRule } from '../../lib/evaluation/rules/index.js'
import { pairScores } from '../../lib/evaluation/scores.js'
import { verify } from '../../lib/evaluation/verification.js'
import { uniform } from '../golden-values.js'
import { sharedPath } from '../shared.js'

/** 6000 pairs by formula, see golden/README.md: blocks of 300 genuine and 300 impostor pairs. */
function goldenPairs() {
  const genuine = Uint8Array.from({ length: 6000 }, (_, i) => Number(Math.floor(i / 300) % 2 === 0))
  const scores = Float64Array.from(genuine, (same, i) => (same ? 0.45 : 0.15) + 0.6 * (uniform('score', i) - 0.5))
  return { scores, genuine }
}

const golden = sharedPath('golden', 'evaluation', 'verification.json')

t.test('both rules and the ROC reproduce the golden figures', { skip: golden ? false : 'golden values are not on this machine' }, async (t) => {
  const expected = JSON.parse(readFileSync(golden!, 'utf8'))
  const pairs = goldenPairs()
  const zoo = verify(pairs, { rule: findRule('facex_zoo'), folds: 10, flip: false })
  near(t, zoo.accuracy, expected.facex_zoo.accuracy_mean)
  near(t, zoo.std, expected.facex_zoo.accuracy_standard_error)
  const insight = verify(pairs, { rule: findRule('insightface'), folds: 10, flip: true })
  near(t, insight.accuracy, expected.insightface.accuracy_mean)
  near(t, insight.std, expected.insightface.accuracy_std)
  const roc = rocCurve(pairs)
  near(t, areaUnderCurve(roc), expected.roc.auc)
  for (const [far, tar] of Object.entries(expected.roc.tar_at_far)) near(t, operatingPoint(roc, Number(far)).tar, tar as number)
})

t.test('any number of folds and any pair count work', async (t) => {
  const { scores, genuine } = goldenPairs()
  for (const rule of ['facex_zoo', 'insightface']) {
    for (const [folds, count] of [[2, 1201], [7, 4999], [13, 6000]] as const) {
      const pairs = { scores: scores.slice(0, count), genuine: genuine.slice(0, count) }
      const result = verify(pairs, { rule: findRule(rule), folds, flip: false })
      t.equal(result.pairs, count)
      t.ok(result.accuracy > 0.7 && result.accuracy < 0.8, `${rule}, ${folds} folds of ${count}: ${result.accuracy}`)
    }
  }
})

t.test('folds are consecutive, and cut by kind where a fold would have one kind only', async (t) => {
  t.same(makeFolds(Uint8Array.of(1, 0, 1, 0, 1, 0, 1), 2).map((fold) => [...fold]), [[0, 1, 2, 3], [4, 5, 6]])
  t.same(makeFolds(Uint8Array.of(1, 1, 1, 0, 0, 0), 2).map((fold) => [...fold]), [[0, 1, 3, 4], [2, 5]])
  t.throws(() => makeFolds(Uint8Array.of(1, 0, 0, 0), 2), { code: 'ERR_DATA', message: /ask for fewer folds/ })
  t.throws(() => makeFolds(Uint8Array.of(1, 0), 1), { code: 'ERR_USAGE' })
})

t.test('a ROC worked out by hand: ties are accepted together', async (t) => {
  const roc = rocCurve({ scores: Float64Array.of(0.9, 0.7, 0.7, 0.4, 0.2), genuine: Uint8Array.of(1, 1, 0, 1, 0) })
  t.same([...roc.thresholds], [Infinity, 0.9, 0.7, 0.4, 0.2])
  t.same([...roc.far], [0, 0, 0.5, 0.5, 1])
  t.same([...roc.tar].map((value) => Math.round(value * 3)), [0, 1, 2, 3, 3])
  near(t, areaUnderCurve(roc), 0.25 + 0.5)
  near(t, equalErrorRate(roc), 0.4)
  t.same(operatingPoint(roc, 0.1), { threshold: 0.9, far: 0, tar: 1 / 3 })
})

t.test('perfectly separated pairs score 1 under both rules', async (t) => {
  const genuine = Uint8Array.from({ length: 40 }, (_, i) => i % 2)
  const pairs = { genuine, scores: Float64Array.from(genuine, (same, i) => (same ? 0.8 : 0.1) + (i % 5) / 100) }
  for (const name of ['facex_zoo', 'insightface']) {
    const result = verify(pairs, { rule: findRule(name), folds: 4, flip: false })
    t.equal(result.accuracy, 1)
    t.equal(result.auc, 1)
    t.equal(result.equalErrorRate, 0)
  }
})

t.test('scores are cosines, and an embedding without direction is an error', async (t) => {
  const embeddings = { count: 3, dim: 2, data: Float32Array.of(3, 4, 30, 40, -4, 3) }
  t.same([...pairScores(embeddings, Uint32Array.of(0, 0), Uint32Array.of(1, 2))], [1, 0])
  t.throws(() => pairScores({ count: 1, dim: 2, data: Float32Array.of(0, 0) }, Uint32Array.of(0), Uint32Array.of(0)), { code: 'ERR_NON_FINITE' })
})

t.test('an unknown rule lists the known ones', async (t) => {
  t.throws(() => findRule('facexzoo'), { code: 'ERR_USAGE', message: 'unknown accuracy rule "facexzoo", did you mean "facex_zoo"? Known: facex_zoo, insightface' })
})

t.test("Wilson's interval agrees with the textbook", async (t) => {
  const [low, high] = wilsonInterval(81, 263)
  near(t, low, 0.2553, 1e-4)
  near(t, high, 0.3662, 1e-4)
  near(t, wilsonInterval(10, 10)[1], 1)
})

function near(t: Test, actual: number, expected: number, tolerance = 1e-8) {
  t.ok(Math.abs(actual - expected) <= tolerance, `${actual} is within ${tolerance} of ${expected}`)
}
