import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { train } from '../../lib/report/train.js'
import type { Message } from '../../lib/training/events.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(600_000)

const KILLS = process.env['FACEX_ALL'] === '1' ? 30 : 3
const CHILD = fileURLToPath(new URL('train-child.js', import.meta.url))
const root = await writeTinyFaces()

/** Starts a child that trains or goes on with `config`; `firstStep` settles when it has reported one. */
function startChild(config: RunConfigInput) {
  const file = `${config.out_dir}.json`
  writeFileSync(file, JSON.stringify(config))
  const child = spawn(process.execPath, [CHILD, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
  return { child, output, firstStep: Promise.race([once(child.stdout, 'data'), once(child, 'exit')]), exit: once(child, 'exit') as Promise<[number | null, string | null]> }
}

/** The tensors of a run's newest checkpoint as hexadecimal text by name. */
async function finalTensors(config: RunConfigInput): Promise<{ step: number; tensors: Record<string, string> }> {
  const store = new CheckpointStore(path.join(config.out_dir!, 'checkpoints'), { last: 1, best: false })
  const { checkpoint } = (await store.newest())!
  const tensors = Object.fromEntries(checkpoint.tensors.map(({ name, data }) => [name, Buffer.from(data).toString('hex')]))
  return { step: checkpoint.meta.position.step, tensors }
}

t.test('a run killed at random moments ends in the same bits as one that ran through', async (t) => {
  const long = { epochs: KILLS > 3 ? 150 : 15, checkpoint: { every_steps: 7 } }
  const straight = tinyConfig(root, long)
  t.equal((await train(straight)).reason, 'finished')
  const broken = tinyConfig(root, long)
  let killed = 0
  for (let attempt = 0; attempt < 5 * KILLS && killed < KILLS; attempt++) {
    const { child, firstStep, exit } = startChild(broken)
    await firstStep
    const delay = Math.random() * 400
    const timer = setTimeout(() => child.kill('SIGKILL'), delay)
    const [, signal] = await exit
    clearTimeout(timer)
    if (signal !== 'SIGKILL') break
    killed++
    t.comment(`killed ${delay.toFixed(0)} ms after its first report`)
  }
  t.ok(killed > 0, `killed ${killed} times`)
  const { exit } = startChild(broken)
  t.strictSame(await exit, [0, null])
  const [expected, found] = [await finalTensors(straight), await finalTensors(broken)]
  t.equal(found.step, expected.step)
  t.strictSame(found.tensors, expected.tensors)
})

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
