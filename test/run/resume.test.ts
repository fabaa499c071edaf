import { truncateSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { train } from '../../lib/report/train.js'
import type { Message } from '../../lib/training/events.js'
import { finalTensors, startChild } from './children.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()

t.test('the number of threads that decode does not change the result', async (t) => {
  const one = tinyConfig(root, { epochs: 2 })
  const four = tinyConfig(root, { epochs: 2, data: { ...tinyConfig(root).data, threads: 4 } })
  await train(one)
  await train(four)
  t.strictSame((await finalTensors(four)).tensors, (await finalTensors(one)).tensors)
})

t.test('a truncated checkpoint is passed over with a message, and the result is still the same', async (t) => {
  const straight = tinyConfig(root, { epochs: 3 })
  await train(straight)
  const damaged = tinyConfig(root, { epochs: 3 })
  await train({ ...damaged, epochs: 3, checkpoint: { keep_last: 3 } })
  const store = new CheckpointStore(path.join(damaged.out_dir!, 'checkpoints'), { last: 3, best: false })
  truncateSync((await store.list()).at(-1)!, 3000)
  const messages: Message[] = []
  await train(damaged, { resume: true, listeners: [{ onMessage: (message) => messages.push(message) }] })
  t.match(messages.find(({ level }) => level === 'warning')?.text, /step-000000036.*the checkpoint before it is used/s)
  t.strictSame((await finalTensors(damaged)).tensors, (await finalTensors(straight)).tensors)
})

t.test('Ctrl-C writes a checkpoint and exits 130, and the run can go on', async (t) => {
  const config = tinyConfig(root, { epochs: 2000 })
  const { child, output, firstStep, exit } = startChild(config)
  await firstStep
  child.kill('SIGINT')
  t.strictSame(await exit, [130, null])
  t.match(output.join(''), /SIGINT\n(\d+\n)*interrupted/)
  t.ok((await finalTensors(config)).step > 0)
})

t.test('SIGTERM ends like Ctrl-C, with 143', async (t) => {
  const { child, firstStep, exit } = startChild(tinyConfig(root, { epochs: 2000 }))
  await firstStep
  child.kill('SIGTERM')
  t.strictSame(await exit, [143, null])
})
