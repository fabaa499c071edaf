import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { stringify } from 'yaml'

import { resolveRun } from '../../lib/index.js'
import { estimateRun } from '../../lib/training/estimate.js'
import { facexHere } from '../facex.js'

t.setTimeout(300_000)

const BASE = {
  data: { train: [{ kind: 'list', root: 'nowhere', list: 'nowhere/train.txt' }] },
  backbone: { type: 'MobileFaceNet' },
  head: { type: 'ArcFace' },
  epochs: 1,
  batch_size: 8,
}
const file = path.join(t.testdir(), 'run.yaml')
writeFileSync(file, stringify(BASE))

const estimate = async (classes: number, set: string[] = [], device: 'cpu' | 'cuda' = 'cpu') => (await estimateRun(resolveRun({ file, set }), device, classes)).memory

t.test('a run is estimated without its data, and parts grow with what they depend on', async (t) => {
  const small = await estimate(1000)
  const many = await estimate(101_000)
  const bytes = 4 * 512 * 100_000
  t.equal(many.weights - small.weights, bytes)
  t.equal(many.gradients - small.gradients, bytes)
  t.equal(many.optimizer - small.optimizer, bytes)
  t.equal(many.logits - small.logits, 4 * 8 * 100_000)
  t.equal(many.activations, small.activations)
  const sampled = await estimate(101_000, ['head.sample_rate=0.1'])
  t.equal(sampled.weights, many.weights)
  t.ok(sampled.peak < many.peak)
  t.ok(sampled.gradients < many.gradients / 3)
  const adam = await estimate(1000, ['optimizer.name=adamw'])
  t.equal(adam.optimizer, 2 * small.optimizer)
})

t.test('a copy for a checkpoint comes on top of a step, unless training waits for the disk', async (t) => {
  const beside = await estimate(101_000)
  const waiting = await estimate(101_000, ['checkpoint.while_training=false'])
  t.equal(beside.checkpoint, waiting.checkpoint)
  t.ok(beside.peak - waiting.peak > Math.min(beside.checkpoint, beside.activations))
  t.strictSame([beside.steady, waiting.steady], [waiting.peak, waiting.peak], 'between checkpoints both need the same')
  t.match((await facexHere(['estimate', file, '--num_class', '101000'])).stdout, /memory, estimated: \S+ \wiB, up to \S+ \wiB while a checkpoint is written; not all parts/)
})

t.test('processes share classes and batch, and the first gathers the classes for a checkpoint', async (t) => {
  const of = async (classes: number, ranks: number) => (await estimateRun(resolveRun({ file }), 'cpu', classes, ranks)).memory
  const [alone, first] = [await of(100_000, 1), await of(100_000, 4)]
  const bytes = 4 * 512 * 75_000
  t.equal(alone.weights - first.weights, bytes)
  t.equal(alone.gradients - first.gradients, bytes)
  t.equal(alone.optimizer - first.optimizer, bytes)
  t.equal(alone.logits, 4 * first.logits, 'the whole batch against a quarter of the classes')
  t.equal(first.checkpoint, alone.checkpoint)
  t.ok(first.activations < alone.activations / 3)
  t.match((await facexHere(['estimate', file, '--num_class', '20', '--nproc', '2'])).stdout, /, cpu, the first of 2 processes\n/)
  const odd = await facexHere(['estimate', file, '--num_class', '20', '--nproc', '3'])
  t.match([odd.status, odd.stderr], [2, /batch_size: expected a multiple of the 3 processes, which share it; got 8/])
})

t.test('centres in host memory leave the GPU', async (t) => {
  const on = await estimate(1_000_000, ['head.sample_rate=0.05'], 'cuda')
  const host = await estimate(1_000_000, ['head.sample_rate=0.05', 'head.centres=host'], 'cuda')
  t.ok(host.device! < on.device! - 2 * 4 * 512 * 900_000)
  t.ok(host.peak > on.peak)
})

t.test('the table names every part, and mistakes are those of training', async (t) => {
  const { stdout, status } = await facexHere(['estimate', file, '--num_class', '20'])
  t.equal(status, 0)
  t.equal((JSON.parse((await facexHere(['estimate', file, '--num_class', '20', '--json'])).stdout) as { classes: number }).classes, 20)
  t.match(stdout, /MobileFaceNet with ArcFace, 20 classes, batch 8, fp32, cpu\nmemory, estimated: \d+ MiB[,;] .*\n +\d+ MiB  activations/)
  t.match(await facexHere(['estimate', file]), { status: 1, stderr: /nowhere\/train\.txt: the list cannot be read/ })
  t.match(await facexHere(['estimate', file, '--device', 'cudda']), { status: 2, stderr: /unknown device "cudda", did you mean "cuda"/ })
})
