import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, watch } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { HEADS } from '../../lib/heads/index.js'
import { isPartial } from '../../lib/model/formats/file-access.js'
import { train } from '../../lib/report/train.js'
import { finalTensors, startChild } from './children.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

const ALL = process.env['FACEX_ALL'] === '1'
/** Kills of each run. */
const KILLS = Number(process.env['FACEX_KILLS'] ?? (ALL ? 30 : 2))
t.setTimeout(14_400_000)

const root = await writeTinyFaces()
const data = tinyConfig(root).data

type Changes = Partial<RunConfigInput>

/** What else keeps state from step to step; the heads take turns with it. */
const EXTRAS: readonly Changes[] = [
  { precision: 'fp16', ema: { decay: 0.9 } },
  { optimizer: { name: 'adamw', lr: 2e-3 }, accumulate: 2, ema: { decay: 0.99 } },
  { optimizer: { name: 'sgd', lr: 0.02, nesterov: true, clip_norm: 1 }, precision: 'bf16' },
  { optimizer: { name: 'adamw', lr: 2e-3, no_decay: 'norm_and_bias' }, on_non_finite: 'skip', precision: 'fp16' },
]

/** Class centres of which each step sees a part. */
const partial = (type: string) => ({ head: { type, sample_rate: 0.7 }, batch_size: 3 })
const conventional = HEADS.filter(({ name }) => !['SST_Prototype', 'Contrastive', 'Triplet'].includes(name))

const RUNS: Readonly<Record<string, Changes>> = {
  ...Object.fromEntries(conventional.map(({ name }, i) => [name, { head: { type: name }, ...EXTRAS[i % EXTRAS.length] }])),
  'Partial FC, momentum': partial('AdaFace'),
  'Partial FC, AdamW and loss scale': { ...partial('ArcFace'), ...EXTRAS[3] },
  'semi-siamese, momentum': { mode: { name: 'semi-siamese', alpha: 0.9 }, head: { type: 'SST_Prototype', queue_size: 12 }, batch_size: 3 },
  'semi-siamese, AdamW and loss scale': { mode: { name: 'semi-siamese', alpha: 0.9 }, head: { type: 'SST_Prototype', queue_size: 12 }, batch_size: 3, ...EXTRAS[0], optimizer: { name: 'adamw', lr: 2e-3 } },
  siamese: { mode: { name: 'siamese' }, head: { type: 'Contrastive', mining: 'random', margin: 1 }, batch_size: 12, data: { ...data, sampler: { name: 'p-k', k: 4 } } },
  triplet: { mode: { name: 'triplet' }, head: { type: 'Triplet', mining: 'random', margin: 1 }, batch_size: 12, data: { ...data, sampler: { name: 'p-k', k: 4 } }, ...EXTRAS[1], accumulate: 1 },
  distillation: { mode: { name: 'distillation', weight: 2 }, ...EXTRAS[0] },
}
/** The short form: an adaptive head with a loss scale and an average, and the mode with two networks and a queue. */
const SHORT = ['CurricularFace', 'semi-siamese, AdamW and loss scale']

for (const [title, changes] of Object.entries(RUNS)) {
  if (!ALL && !SHORT.includes(title)) continue
  t.test(`${title}: a run killed at random moments ends in the same bits as one that ran through`, async (t) => {
    const long = { epochs: 10 + 5 * KILLS, ...changes, ...(title === 'distillation' ? { mode: { ...changes.mode, teacher: await teacher() } } : {}) }
    const straight = tinyConfig(root, long)
    t.equal((await train(straight)).reason, 'finished')

    const broken = tinyConfig(root, { ...long, checkpoint: { every_steps: 2 } })
    const folder = path.join(broken.out_dir!, 'checkpoints')
    mkdirSync(folder, { recursive: true })
    let [killed, writing] = [0, 0]
    while (killed < KILLS) {
      const { child, firstStep, exit } = startChild(broken)
      await firstStep
      const stop = killed % 2 === 0 ? killLater(child) : killWhileWriting(child, folder)
      const [, signal] = await exit
      stop()
      if (signal !== 'SIGKILL') break
      killed++
      if (readdirSync(folder).some(isPartial)) writing++
    }
    t.ok(killed > 0, `killed ${killed} times, ${writing} of them while a checkpoint was written`)
    t.strictSame(await startChild(broken).exit, [0, null])
    const [expected, found] = [await finalTensors(straight), await finalTensors(broken)]
    t.equal(found.step, expected.step)
    t.strictSame(found.counters, expected.counters)
    t.strictSame(found.tensors, expected.tensors)
  })
}

/** At any moment; returns what takes it back. */
function killLater(child: ChildProcess): () => void {
  const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * 250)
  return () => clearTimeout(timer)
}

/** Soon after a checkpoint has been begun; returns what takes it back. */
function killWhileWriting(child: ChildProcess, folder: string): () => void {
  const watcher = watch(folder, (_, name) => {
    if (name !== null && isPartial(name)) child.kill('SIGKILL')
  })
  return () => watcher.close()
}

/** A checkpoint of the same network, trained from another seed. */
async function teacher(): Promise<string> {
  return (await train(tinyConfig(root, { seed: 1, epochs: 1 }))).checkpoint!
}
