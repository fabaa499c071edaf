/** Learning rate, weight decay and clipping of head and backbone, as a configuration sets them. */
import path from 'node:path'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { resolveRun, train } from '../../lib/index.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { distance, numbers } from '../native/head-runner.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const LR = 0.5
const root = await writeTinyFaces()

/** Tensors after the one step of a run whose batch is the whole data set, by name. */
async function afterOneStep(optimizer: object, lr = LR, changes: Partial<RunConfigInput> = {}): Promise<Record<string, number[]>> {
  const config = tinyConfig(root, {
    batch_size: 48,
    epochs: 1,
    schedule: { name: 'step' },
    head: { type: 'ArcFace', scale: 16 },
    optimizer: { name: 'sgd', lr, weight_decay: 0, ...optimizer } as RunConfigInput['optimizer'],
    ...changes,
  })
  await train(config)
  const { checkpoint } = (await new CheckpointStore(path.join(config.out_dir!, 'checkpoints'), { last: 1, best: false }).newest())!
  return Object.fromEntries(checkpoint.tensors.filter(({ dtype }) => dtype === 'float32').map((tensor) => [tensor.name, numbers(tensor)]))
}

const HEAD = 'head.weight'
const CONV = 'backbone.conv.weight'
const NORM = 'backbone.bn.weight'
const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!)
const length = (values: readonly number[]) => Math.hypot(...values)

const before = await afterOneStep({}, 1e-30)
const plain = await afterOneStep({})

t.test('a part with a rate of 0 stays as it is, the other learns as before', async (t) => {
  const head = await afterOneStep({ head: { lr_multiplier: 0 } })
  t.strictSame([head[HEAD], head[CONV]], [before[HEAD], plain[CONV]])
  const backbone = await afterOneStep({ backbone: { lr_multiplier: 0 } })
  t.strictSame([backbone[HEAD], backbone[CONV], backbone[NORM]], [plain[HEAD], before[CONV], before[NORM]])
  t.notSame(plain[HEAD], before[HEAD])
  t.notSame(plain[CONV], before[CONV])
})

t.test('what is frozen stays as it is and has no momentum, its running statistics move, and the rest learns as before', async (t) => {
  const frozen = await afterOneStep({}, LR, { freeze: ['backbone.conv.*', 'backbone.bn.weight'] })
  t.strictSame([frozen[CONV], frozen[NORM], frozen[HEAD]], [before[CONV], before[NORM], plain[HEAD]])
  t.strictSame(frozen['backbone.bn.running_mean'], plain['backbone.bn.running_mean'])
  t.ok(`optimizer.momentum.${HEAD}` in frozen && !(`optimizer.momentum.${CONV}` in frozen))
})

t.test('a part decays by its own rate, added to the gradient', async (t) => {
  const decayed = (values: readonly number[], decay: number) => values.map((value) => -LR * decay * value)
  const head = await afterOneStep({ head: { weight_decay: 0.1 } })
  t.ok(distance(minus(head[HEAD]!, plain[HEAD]!), decayed(before[HEAD]!, 0.1)) < 1e-6)
  t.strictSame(head[CONV], plain[CONV])
  const both = await afterOneStep({ weight_decay: 0.1, head: { weight_decay: 0.3 }, no_decay: 'norm_and_bias' })
  t.ok(distance(minus(both[HEAD]!, plain[HEAD]!), decayed(before[HEAD]!, 0.3)) < 1e-6)
  t.ok(distance(minus(both[CONV]!, plain[CONV]!), decayed(before[CONV]!, 0.1)) < 1e-6)
  t.strictSame(both[NORM], plain[NORM], 'norms are free of it')
})

t.test('the gradient of a part is clipped by its own norm', async (t) => {
  const head = await afterOneStep({ head: { clip_norm: 0.01 } })
  t.ok(Math.abs(length(minus(head[HEAD]!, before[HEAD]!)) - LR * 0.01) < 1e-6)
  t.strictSame(head[CONV], plain[CONV])
  const whole = await afterOneStep({ clip_norm: 0.01 })
  const moved = Object.keys(before).filter((name) => `optimizer.momentum.${name}` in before)
  t.ok(Math.abs(length(moved.map((name) => length(minus(whole[name]!, before[name]!)))) - LR * 0.01) < 1e-5)
})

t.test("FaceX-Zoo's values are the defaults: SGD, 0.1, momentum 0.9, decay 1e-4 on everything", async (t) => {
  const { optimizer: _, ...config } = tinyConfig(root)
  const { config: resolved } = resolveRun({ config })
  t.match(resolved.optimizer, { name: 'sgd', lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 1e-4, no_decay: 'none', head: { lr_multiplier: 1 }, backbone: { lr_multiplier: 1 } })
})
