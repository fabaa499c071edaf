import path from 'node:path'

import t from 'tap'

import { HEADS, findHead } from '../../lib/heads/index.js'
import { allFinite, cosine, dot, near, numbersFrom, throughCheckpoint } from './head-checks.js'
import { HeadRunner, distance } from './head-runner.js'

const D = 16
const K = 10
/** Heads with a class centre for each identity; the others have tests of their own: prototype-head, pair-losses. */
const NAMES = HEADS.map((head) => head.name).filter((name) => !['SST_Prototype', 'Contrastive', 'Triplet'].includes(name))

/** Why the gradient is not the derivative of the loss: parts that the paper takes as constant. */
const CONSTANT_PARTS: Record<string, string> = {
  CircleLoss: 'the weights of cosines',
  NPCFace: 'the margin made of hard cosines',
  ArcNegFace: 'the weights of other classes',
  AdaFace: 'the length of the embedding',
}

function runner(name: string, options: { dtype?: 'float32' | 'float64'; reference?: boolean; classes?: number } = {}): HeadRunner {
  const { dtype = 'float64', reference = false, classes = K } = options
  return new HeadRunner(name, { feat_dim: D, num_class: classes }, dtype, reference)
}

/** First class centre of a head, whatever the shape of the matrix. */
function firstCentre(head: HeadRunner): number[] {
  const matrix = head.head.state()[0]!
  const values = head.state()[matrix.name]!
  return matrix.shape[0] === D ? Array.from({ length: D }, (_, d) => values[d * matrix.shape[1]!]!) : values.slice(0, D)
}

for (const name of NAMES) {
  t.test(`${name}: fused and reference form agree and adapt alike`, async (t) => {
    const [fused, reference] = [runner(name), runner(name, { reference: true })]
    for (let step = 0; step < 3; step++) {
      const features = numbersFrom(step + 1, 6 * D).map((value) => value * 9)
      const labels = [3, 3, 0, 9, step, 5]
      const [actual, expected] = [fused, reference].map((head) => head.run(features, labels, { gradScale: 3 }))
      t.ok(distance([actual!.loss, actual!.extraLoss], [expected!.loss, expected!.extraLoss]) < 1e-9, 'loss')
      t.ok(distance(actual!.logits, expected!.logits) < 1e-9, 'logits')
      t.ok(distance(actual!.gradEmbeddings, expected!.gradEmbeddings) < 1e-9, 'gradient of embeddings')
      for (const [entry, grad] of Object.entries(expected!.grads)) t.ok(distance(actual!.grads[entry] ?? [], grad) < 1e-9, `gradient of ${entry}`)
      for (const [entry, value] of Object.entries(reference.state())) t.ok(distance(fused.state()[entry] ?? [], value) < 1e-9, `state ${entry}`)
    }
  })

  t.test(`${name}: gradients agree with finite differences`, async (t) => {
    if (name in CONSTANT_PARTS) return t.plan(0, `constant in the gradient: ${CONSTANT_PARTS[name]}`)
    const head = runner(name)
    const features = numbersFrom(5, 4 * D).map((value) => value * 9)
    const labels = [1, 7, 7, 4]
    const loss = (at: readonly number[]) => head.run(at, labels, { adapt: false }).loss
    const { gradEmbeddings, grads } = head.run(features, labels, { adapt: false })

    const direction = numbersFrom(6, features.length)
    const step = 1e-5
    const moved = (sign: number) => features.map((value, i) => value + sign * step * direction[i]!)
    t.ok(near(dot(gradEmbeddings, direction), (loss(moved(1)) - loss(moved(-1))) / (2 * step)), 'embeddings')

    for (const entry of head.head.state().filter((entry) => entry.name in grads)) {
      const value = head.state()[entry.name]!
      const along = numbersFrom(7, value.length)
      const lossAt = (sign: number) => {
        head.load({ [entry.name]: { shape: entry.shape, value: value.map((v, i) => v + sign * step * along[i]!) } })
        return loss(features)
      }
      const slope = (lossAt(1) - lossAt(-1)) / (2 * step)
      head.load({ [entry.name]: { shape: entry.shape, value } })
      t.ok(near(dot(grads[entry.name]!, along), slope), entry.name)
    }
  })

  t.test(`${name}: everything is finite at the edges`, async (t) => {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const reference of [false, true]) {
        const head = runner(name, { dtype, reference })
        const centre = firstCentre(head)
        const scaled = (factor: number) => centre.map((value) => value * factor)
        const what = `${reference ? 'reference' : 'fused'} ${dtype}`
        t.ok(allFinite(head.run([...scaled(1), ...scaled(-1), ...scaled(50), ...scaled(-50)], [0, 0, 1, 1])), `cosines of ±1, own and other, ${what}`)
        t.ok(allFinite(head.run(scaled(3), [0])), `batch of one, ${what}`)
        t.ok(allFinite(head.run(scaled(0), [0])), `embedding of zeros, ${what}`)
        t.ok(allFinite(head.run([...scaled(1), ...scaled(2), ...scaled(-3)], [2, 2, 2])), `repeated labels, ${what}`)
        const single = runner(name, { dtype, reference, classes: 1 })
        t.ok(allFinite(single.run(numbersFrom(3, 2 * D), [0, 0])), `one class, ${what}`)
      }
    }
  })

  t.test(`${name}: goes on from a checkpoint as if never stopped`, async (t) => {
    const batch = (step: number) => [numbersFrom(step + 20, 3 * D).map((value) => value * 9), [step, 2, 8]] as const
    const first = runner(name)
    for (let step = 0; step < 3; step++) first.run(...batch(step))
    const second = new HeadRunner(name, { feat_dim: D, num_class: K }, 'float64', false, 99)
    second.head.load(await throughCheckpoint(path.join(t.testdir(), 'head.facex'), first.head.state()))
    t.strictSame(second.run(...batch(3)), first.run(...batch(3)))
    t.strictSame(second.state(), first.state())
  })

  t.test(`${name}: products in bfloat16 change little, and what is kept stays wide`, async (t) => {
    const features = numbersFrom(31, 6 * D).map((value) => value * 9)
    const labels = [3, 3, 0, 9, 4, 5]
    for (const reference of [false, true]) {
      const [wide, narrow] = [undefined, 'bf16'].map((gemm) => new HeadRunner(name, { feat_dim: D, num_class: K, ...(gemm === undefined ? {} : { gemm }) }, 'float32', reference))
      const [expected, actual] = [wide!.run(features, labels), narrow!.run(features, labels)]
      const what = reference ? 'reference' : 'fused'
      t.ok(Math.abs(actual.loss - expected.loss) < 0.02 * Math.abs(expected.loss), `loss, ${what}`)
      t.not(actual.loss, expected.loss, `it does round, ${what}`)
      t.ok(cosine(actual.gradEmbeddings, expected.gradEmbeddings) > 0.99, `gradient of embeddings, ${what}`)
      for (const [entry, grad] of Object.entries(expected.grads)) t.ok(cosine(actual.grads[entry]!, grad) > 0.99, `gradient of ${entry}, ${what}`)
      t.ok(narrow!.head.state().every(({ dtype }) => dtype !== 'bfloat16'))
    }
  })

  t.test(`${name}: a label outside the range is named with its row`, async (t) => {
    t.throws(() => runner(name).run(numbersFrom(1, 2 * D), [0, K]), { code: 'ERR_DATA', message: /from 0 to 9, got 10 at row 1/ })
  })
}

t.test('options are checked: unknown keys and values out of range are refused, defaults filled in', async (t) => {
  t.throws(() => findHead('ArcFase'), { code: 'ERR_CONFIG', message: /did you mean "ArcFace"/ })
  const { schema } = findHead('ArcFace')
  t.strictSame(schema.parse({ num_class: 5 }), { feat_dim: 512, num_class: 5, margin_arc: 0.35, margin_am: 0, scale: 32 })
  t.equal(schema.safeParse({ margin: 0.5 }).success, false)
  t.equal(schema.safeParse({ scale: -1 }).success, false)
  t.throws(() => findHead('ArcFace').create(schema.parse({}) as never), { code: 'ERR_CONFIG', message: /num_class/ })
})
