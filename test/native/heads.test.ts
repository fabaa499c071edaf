import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { HEADS } from '../../lib/heads/index.js'
import { addon } from '../../lib/native.js'
import { packageRoot } from '../../lib/setup/places.js'
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

/** A golden file of the prototype queue: two probes a step, each scored against the other's gallery. */
interface PrototypeGolden {
  readonly config: { feat_dim: number; queue_size: number; [option: string]: unknown }
  readonly queue: number[]
  readonly queue_after: number[]
  readonly steps: readonly (Record<'p1' | 'p2' | 'g1' | 'g2' | 'ids' | 'logits1' | 'logits2' | 'grad_p1' | 'grad_p2' | 'ids_in_queue', number[]> & {
    loss: number
    enqueued: 'g1' | 'g2'
    index_after: number
  })[]
}

const TOLERANCE: Record<Precision, number> = { float64: 1e-9, float32: 1e-5 }
const FORMS = [
  { reference: true, dtype: 'float64' },
  { reference: true, dtype: 'float32' },
  { reference: false, dtype: 'float64' },
  { reference: false, dtype: 'float32' },
] as const

t.test('both sides of the border have the same table of heads', async (t) => {
  // Expression is what heads written by users become, the other three belong to distillation: no entries of their own.
  const own = ['Expression', 'Distillation', 'LogitDistillation', 'Hint']
  t.strictSame([...addon().headNames()].sort(), [...HEADS.map((head) => head.name), ...own].sort())
})

t.test('golden values hold in both forms and both precisions', async (t) => {
  const folder = sharedPath('golden', 'heads')
  if (folder === undefined) return t.plan(0, 'golden values are not on this machine')
  for (const { file, content } of documents(folder)) {
    const follow = file.startsWith('SST_Prototype') ? prototypeDeviations : deviations
    for (const form of FORMS) t.strictSame(beyond(form.dtype, follow(content as never, form)), [], `${file}: ${form.reference ? 'reference' : 'fused'} ${form.dtype}`)
  }
})

t.test('heads beyond FaceX-Zoo follow their papers in both forms and both precisions', async (t) => {
  for (const { file, content } of documents(path.join(packageRoot(), 'test', 'fixtures', 'heads'))) {
    for (const form of FORMS) t.strictSame(beyond(form.dtype, deviations(content as never, form)), [], `${file}: ${form.reference ? 'reference' : 'fused'} ${form.dtype}`)
  }
})

function documents(folder: string): { file: string; content: unknown }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, content: JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as unknown }))
}

function beyond(dtype: Precision, worst: Record<string, number>): [string, number][] {
  return Object.entries(worst).filter(([, error]) => !(error <= TOLERANCE[dtype]))
}

/** Collects the largest deviation of each quantity. */
function ledger(): { worst: Record<string, number>; note(what: string, actual: readonly number[], expected: readonly number[]): void } {
  const worst: Record<string, number> = {}
  return { worst, note: (what, actual, expected) => void (worst[what] = Math.max(worst[what] ?? 0, distance(actual, expected))) }
}

function deviations(golden: Golden, form: (typeof FORMS)[number]): Record<string, number> {
  const head = new HeadRunner(golden.head, golden.config, form.dtype, form.reference)
  head.load(golden.parameters)
  const { worst, note } = ledger()
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

function prototypeDeviations(golden: PrototypeGolden, form: (typeof FORMS)[number]): Record<string, number> {
  const { feat_dim: dims, queue_size: slots } = golden.config
  const head = new HeadRunner('SST_Prototype', golden.config, form.dtype, form.reference)
  head.load({ queue: { shape: [dims, slots], value: golden.queue } })
  const { worst, note } = ledger()
  for (const step of golden.steps) {
    const first = head.run(step.p1, step.ids, { gallery: step.g2, gradScale: 0.5 })
    const second = head.run(step.p2, step.ids, { gallery: step.g1, gradScale: 0.5 })
    note('loss', [(first.loss + second.loss) / 2], [step.loss])
    note('logits', [...first.logits, ...second.logits], [...step.logits1, ...step.logits2])
    note('embedding gradient', [...first.gradEmbeddings, ...second.gradEmbeddings], [...step.grad_p1, ...step.grad_p2])
    head.enqueue(step[step.enqueued], step.ids)
    note('index', head.state()['index'] ?? [], [step.index_after])
    const identities = (head.state()['label_list'] ?? []).filter((id) => id >= 0)
    note('identities', identities.sort((a, b) => a - b), [...step.ids_in_queue].sort((a, b) => a - b))
  }
  note('queue', head.state()['queue'] ?? [], golden.queue_after)
  return worst
}
