import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { HEADS } from '../../lib/heads/index.js'
import { addon } from '../../lib/native.js'
import { sharedPath } from '../shared.js'
import { HeadRunner, distance } from './head-runner.js'
import type { Precision } from './head-runner.js'

/** A golden file or a fixture: explicit inputs and outputs of consecutive steps. */
interface Golden {
  readonly head: string
  readonly config: Record<string, unknown>
  readonly parameters: Record<string, { shape: number[]; value: number[] }>
  readonly steps: readonly {
    features: number[]
    labels: number[]
    logits: number[]
    total: number
    regulariser: number | null
    grad_features: number[]
    grad_parameters: Record<string, number[]>
    state_after: Record<string, number | number[]>
  }[]
}

const TOLERANCE: Record<Precision, number> = { float64: 1e-9, float32: 1e-5 }

t.test('both sides of the border have the same table of heads', async (t) => {
  t.strictSame([...addon().headNames()].sort(), HEADS.map((head) => head.name).sort())
})

t.test('golden values hold in both forms and both precisions', async (t) => {
  const folder = sharedPath('golden', 'heads')
  if (folder === undefined) return t.plan(0, 'golden values are not on this machine')
  for (const file of readdirSync(folder)) {
    const golden = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Golden
    if (!HEADS.some((head) => head.name === golden.head)) continue
    for (const reference of [true, false]) {
      for (const dtype of ['float64', 'float32'] as const) {
        const wrong = Object.entries(deviations(golden, dtype, reference)).filter(([, error]) => !(error <= TOLERANCE[dtype]))
        t.strictSame(wrong, [], `${file}: ${reference ? 'reference' : 'fused'} ${dtype}`)
      }
    }
  }
})

/** Largest deviation of each quantity over the steps of a golden file. */
function deviations(golden: Golden, dtype: Precision, reference: boolean): Record<string, number> {
  const head = new HeadRunner(golden.head, golden.config, dtype, reference)
  head.load(golden.parameters)
  const worst: Record<string, number> = {}
  const note = (what: string, actual: readonly number[], expected: readonly number[]) => {
    worst[what] = Math.max(worst[what] ?? 0, distance(actual, expected))
  }
  for (const step of golden.steps) {
    const result = head.run(step.features, step.labels)
    note('loss', [result.loss], [step.total])
    note('logits', result.logits, step.logits)
    note('embedding gradient', result.gradEmbeddings, step.grad_features)
    note('regulariser', [result.extraLoss], [step.regulariser ?? 0])
    for (const [name, expected] of Object.entries(step.grad_parameters)) note(`gradient of ${name}`, result.grads[name] ?? [], expected)
    for (const [name, expected] of Object.entries(step.state_after)) note(`state ${name}`, head.state()[name] ?? [], [expected].flat())
  }
  return worst
}
