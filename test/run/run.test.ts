import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import type { FacexError } from '../../lib/errors.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { train, type TrainOptions } from '../../lib/report/train.js'
import type { EvaluationReport, RunPlan, StepReport } from '../../lib/training/events.js'
import { runFolder, tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const pairs = { sets: [{ name: 'tiny', root, pairs: path.join(root, 'pairs.txt') }], folds: 2 }

/** The error that training with these settings ends in. */
async function failure(changes: Partial<RunConfigInput>, options: TrainOptions = {}): Promise<FacexError> {
  try {
    await train(tinyConfig(root, changes), options)
  } catch (error) {
    return error as FacexError
  }
  throw new Error('expected an error')
}

t.test('a run reports its plan, its steps, its evaluations and its end', async (t) => {
  const plans: RunPlan[] = []
  const steps: StepReport[] = []
  const evaluations: EvaluationReport[] = []
  const end = await train(tinyConfig(root, { epochs: 2, evaluation: pairs }), {
    listeners: [{ onStart: (plan) => plans.push(plan), onStep: (report) => steps.push(report), onEvaluation: (report) => evaluations.push(report) }],
  })
  t.match(plans, [{ samples: 48, classes: 6, stepsPerEpoch: 12, steps: 24, backbone: 'Tiny', head: 'CurricularFace' }])
  t.strictSame(steps.map(({ step }) => step), [5, 10, 12, 15, 20, 24], 'every fifth step and the end of each epoch')
  t.ok(steps.every(({ loss }) => Number.isFinite(loss)))
  t.strictSame(evaluations.map(({ epoch, name }) => [epoch, name]), [[1, 'tiny'], [2, 'tiny']])
  t.ok(evaluations[0]!.best, 'the first evaluation is the best so far')
  t.match(end, { reason: 'finished', step: 24, epoch: 2, checkpoint: /step-000000024/ })
})

t.test('every mechanism of the step together: accumulation, clipping, moving average, AdamW', async (t) => {
  const end = await train(
    tinyConfig(root, {
      epochs: 2,
      batch_size: 2,
      accumulate: 3,
      ema: { decay: 0.9 },
      optimizer: { name: 'adamw', lr: 0.001, clip_norm: 1, head: { clip_norm: 0.5 }, no_decay: 'norm_and_bias' },
      evaluation: pairs,
    }),
  )
  t.match(end, { reason: 'finished', step: 16 }, '48 samples in steps of 2 x 3')
})

t.test('a loss that is not finite stops the run and names tensor, step, batch and images', async (t) => {
  const error = await failure({ optimizer: { name: 'sgd', lr: 1e30 }, schedule: { name: 'step' } })
  t.equal(error.code, 'ERR_NON_FINITE')
  t.match(error.message, /step \d+: .*not finite.*; .*(parameter|value|gradient).*; epoch 1, batch \d+ of 12 \(.*train\.txt:\d+: \d\/\d\.png/s)
})

t.test('on_non_finite: skip goes on and counts', async (t) => {
  const config = tinyConfig(root, { epochs: 1, on_non_finite: 'skip', optimizer: { name: 'sgd', lr: 1e30 }, schedule: { name: 'step' } })
  t.match(await train(config), { reason: 'finished', step: 12 })
  const { checkpoint } = (await new CheckpointStore(path.join(config.out_dir!, 'checkpoints'), { last: 1, best: false }).newest())!
  t.ok(checkpoint.meta.counters['skipped']! > 0)
})

t.test('an aborted run is interrupted, with a checkpoint', async (t) => {
  const controller = new AbortController()
  const end = await train(tinyConfig(root, { epochs: 1000 }), { signal: controller.signal, onProgress: () => controller.abort() })
  t.match(end, { reason: 'interrupted', checkpoint: /step-/ })
  t.ok(end.step < end.steps)
})

t.test('early stopping ends a run that no longer improves', async (t) => {
  const config = tinyConfig(root, { epochs: 60, early_stopping: { patience: 1, min_delta: 1 }, evaluation: pairs })
  const end = await train(config)
  t.match(end, { reason: 'finished', epoch: 2 }, 'an accuracy cannot rise by more than 1')
})

t.test('a run folder belongs to one run at a time', async (t) => {
  const config = tinyConfig(root, { epochs: 1000 })
  const controller = new AbortController()
  let second: Promise<unknown> | undefined
  await train(config, {
    signal: controller.signal,
    onProgress: () => {
      second ??= train(config, { resume: true }).then(
        () => controller.abort(),
        (error: unknown) => (controller.abort(), error),
      )
    },
  })
  t.match(await second, { code: 'ERR_LOCKED', message: /another process is training in this run folder/ })
})

t.test('a folder with a run is not overwritten', async (t) => {
  const out_dir = runFolder()
  await train(tinyConfig(root, { out_dir, epochs: 1 }))
  t.match(await failure({ out_dir, epochs: 1 }), { code: 'ERR_CONFIG', message: /already holds a run \(step-000000012.*--resume/ })
})

t.test('resuming with other settings that decide the numbers is refused, with their names', async (t) => {
  const out_dir = runFolder()
  await train(tinyConfig(root, { out_dir, epochs: 1 }))
  const error = await failure({ out_dir, epochs: 2, seed: 6, head: { type: 'ArcFace' } }, { resume: true })
  t.match(error, { code: 'ERR_CHECKPOINT', message: /head: was .*CurricularFace.*seed: was 5, is now 6/s })
})

t.test('more epochs may be added to a finished run', async (t) => {
  const config = tinyConfig(root, { epochs: 1 })
  await train(config)
  t.match(await train({ ...config, epochs: 2 }, { resume: true }), { reason: 'finished', step: 24 })
})

t.test('a new run may start from the weights of another, with or without its head', async (t) => {
  const first = await train(tinyConfig(root, { epochs: 1 }))
  const messages: string[] = []
  const listeners = [{ onMessage: ({ text }: { text: string }) => messages.push(text) }]
  const weights = first.checkpoint!
  t.match(await train(tinyConfig(root, { epochs: 1, init: { weights, head: true } }), { listeners }), { reason: 'finished' })
  t.match(messages.join('\n'), /backbone: 10 tensors taken.*head: \d tensors taken/s)

  const five = path.join(root, 'five.txt')
  writeFileSync(five, readFileSync(path.join(root, 'train.txt'), 'utf8').split('\n').filter((line) => !line.endsWith(' 5')).join('\n'))
  const others = { epochs: 1, data: { ...tinyConfig(root).data, color: 'rgb' as const, train: [{ kind: 'list' as const, root, list: five }] } }
  t.match(await train(tinyConfig(root, { ...others, init: { weights } }), { listeners }), { reason: 'finished' }, 'other identities')
  t.match(messages.join('\n'), /was trained on images prepared otherwise: bgr, .*; this run has rgb/)
  t.match(await failure({ ...others, init: { weights, head: true } }), { code: 'ERR_CHECKPOINT', message: /mismatched: kernel: expected \[.*5.*\], found \[.*6/ })
  t.match(await train(tinyConfig(root, { ...others, init: { weights, head: true, partial: true } }), { listeners }), { reason: 'finished' })
  t.match(messages.join('\n'), /head: mismatched: kernel/)
  t.match(await failure({ init: { weights: path.join(root, 'train.txt') } }), { code: 'ERR_CHECKPOINT' })
})

t.test('semi-siamese training runs, stops and goes on like any other', async (t) => {
  const config = tinyConfig(root, { mode: { name: 'semi-siamese', alpha: 0.9 }, head: { type: 'SST_Prototype', queue_size: 12 }, batch_size: 3, evaluation: pairs })
  t.match(await train({ ...config, epochs: 2 }), { reason: 'finished', step: 4 }, 'one pair of each of 6 identities an epoch')
  t.match(await train({ ...config, epochs: 3 }, { resume: true }), { reason: 'finished', step: 6 })
  t.match(await failure({ mode: { name: 'semi-siamese' }, head: { type: 'SST_Prototype', queue_size: 10 }, batch_size: 4 }), { message: /multiple of batch_size \(4\), received 10/ })
})

t.test('the upper half of the face is cut where it is asked for, and what the checkpoint says is what was done', async (t) => {
  const upper = (crop: 'full' | 'upper_half') => tinyConfig(root, { backbone: { type: 'GhostNet', width: 0.25, out_h: 4, feat_dim: 16 }, batch_size: 16, epochs: 1, data: { ...tinyConfig(root).data, crop } })
  const messages: string[] = []
  const listeners = [{ onMessage: ({ text }: { text: string }) => messages.push(text) }]
  for (const crop of ['upper_half', 'full'] as const) {
    const config = upper(crop)
    t.match(await train(config, { listeners }), { reason: 'finished' })
    const { checkpoint } = (await new CheckpointStore(path.join(config.out_dir!, 'checkpoints'), { last: 1, best: false }).newest())!
    t.match(checkpoint.meta.preprocessing, { crop, height: 60, width: 112, alignment: 'arcface' })
    t.equal(messages.some((text) => text === 'whole faces are squeezed to 112x60; for the upper half of the face set data.crop: upper_half'), crop === 'full')
  }
  t.match(messages.join('\n'), /48 images are not 112x112 and are resized/, 'the size of whole faces')
  t.match(await failure({ data: { ...tinyConfig(root).data, crop: 'upper_half' } }), { code: 'ERR_CONFIG', message: /data\.crop: upper_half needs a network for images that are wider than high .*, Tiny takes 16 x 16/ })
})

t.test('mistakes are found before the first step', async (t) => {
  const list = (...lines: string[]) => {
    const file = path.join(t.testdir(), 'train.txt')
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
    return { data: { train: [{ kind: 'list' as const, root, list: file }] } }
  }
  t.match(await failure({ batch_size: 64 }), { code: 'ERR_CONFIG', message: /batch_size: a step takes 64 samples, but an epoch has only 48/ })
  t.match(await failure({ mode: { name: 'conventionel' } }), { code: 'ERR_CONFIG', message: /mode.*did you mean "conventional"/s })
  t.match(await failure({ backbone: { type: 'MobileFaceNett' } }), { code: 'ERR_CONFIG', message: /backbone.type.*did you mean "MobileFaceNet"/s })
  t.match(await failure({ head: { type: 'ArcFace', num_class: 7 } }), { code: 'ERR_CONFIG', message: /head.num_class: expected 6/ })
  t.match(await failure({ freeze: ['backbon.*'] }), { code: 'ERR_CONFIG', message: /freeze: no parameter is called "backbon\.\*"/ })
  t.match(await failure({ mode: { name: 'semi-siamese' } }), { code: 'ERR_CONFIG', message: /expected a head with a queue/ })
  t.match(await failure(list()), { code: 'ERR_DATA', message: /no line "path label"/ })
  t.match(await failure(list('0/0.png 0', '0/nothing.png 0', '0/1.png 0', '1/0.png 1')), { code: 'ERR_DATA', message: /:2: 0\/nothing\.png/ })
  t.match(await failure({ evaluation: { sets: [{ name: 'none', root, pairs: path.join(root, 'none.txt') }] } }), { code: 'ERR_DATA', message: /none\.txt/ })
})
