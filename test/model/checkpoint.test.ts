import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

import { FacexError } from '../../lib/errors.js'
import { readCheckpoint, readCheckpointMeta, writeCheckpoint } from '../../lib/model/checkpoint.js'
import { CheckpointStore, checkpointName } from '../../lib/model/checkpoint-store.js'
import { isPartial } from '../../lib/model/formats/file-access.js'
import { writeSafetensors } from '../../lib/model/formats/safetensors.js'
import { checkpoint, randomOf } from './tensors.js'

const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }

t.test('a checkpoint comes back exactly', async (t) => {
  const file = path.join(t.testdir(), 'one.safetensors')
  const written = checkpoint()
  await writeCheckpoint(file, written)
  const read = await readCheckpoint(file)
  t.strictSame(read.meta, written.meta)
  t.ok(Object.is(read.meta.counters.t, -0))
  t.strictSame(
    read.tensors.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data) })),
    written.tensors.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data) })),
  )
  const { meta, tensors } = await readCheckpointMeta(file)
  t.strictSame(meta, written.meta)
  t.equal(tensors.length, written.tensors.length)
  const heads = await readCheckpoint(file, ({ name }) => name.startsWith('head.'))
  t.strictSame(heads.tensors.map(({ name }) => name), ['head.weight', 'head.queue_labels', 'head.flags'])
})

t.test('every cut and every flipped bit is found', async (t) => {
  const file = path.join(t.testdir(), 'one.safetensors')
  await writeCheckpoint(file, checkpoint())
  const whole = await readFile(file)
  const random = randomOf(1)
  for (let i = 0; i < 200; i++) {
    const length = i < 20 ? i : random(whole.length)
    await writeFile(file, whole.subarray(0, length))
    await t.rejects(readCheckpoint(file), ERROR, `cut to ${length} bytes`)
  }
  for (let i = 0; i < 400; i++) {
    const bit = i < 200 ? random(whole.length * 8) : random(800)
    const damaged = Buffer.from(whole)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    await writeFile(file, damaged)
    await t.rejects(readCheckpoint(file), ERROR, `bit ${bit} flipped`)
  }
  await writeFile(file, Buffer.concat([whole, Buffer.alloc(1)]))
  await t.rejects(readCheckpoint(file), ERROR, 'a byte too many')
})

t.test('what is no checkpoint is refused with its name and the reason', async (t) => {
  const folder = t.testdir({ 'text.txt': 'hello, this is not a checkpoint', folder: {} })
  const weights = path.join(folder, 'weights.safetensors')
  await writeSafetensors(weights, checkpoint().tensors)
  await t.rejects(readCheckpoint(weights), { ...ERROR, message: /weights\.safetensors: .*weights only/ })
  await t.rejects(readCheckpoint(path.join(folder, 'text.txt')), { ...ERROR, message: /text\.txt: / })
  await t.rejects(readCheckpoint(path.join(folder, 'absent')), { ...ERROR, message: /absent: no such file/ })
  await t.rejects(readCheckpoint(path.join(folder, 'folder')), { ...ERROR, message: /folder: expected a file/ })
})

t.test('a tensor whose data has not the size of its shape is never written', async (t) => {
  const file = path.join(t.testdir(), 'one.safetensors')
  const { tensors, meta } = checkpoint()
  await t.rejects(writeCheckpoint(file, { meta, tensors: [{ ...tensors[1]!, shape: [2] }] }), ERROR)
  await t.rejects(writeCheckpoint(file, { meta, tensors: [tensors[1]!, tensors[1]!] }), { ...ERROR, message: /two tensors/ })
})

t.test('the store keeps the last, the best and the milestones', async (t) => {
  const store = new CheckpointStore(path.join(t.testdir(), 'checkpoints'), { last: 2, best: true, everyEpochs: 4 })
  t.strictSame(await store.list(), [])
  t.equal(await store.newest(), undefined)
  const scores = [0.5, 0.9, 0.6, 0.7, 0.8, Number.NaN, 0.85]
  for (const [index, score] of scores.entries()) {
    const epoch = index + 1
    const saved = await store.save(checkpoint(epoch * 10, { position: { step: epoch * 10, epoch, batch: 0 }, score }))
    t.equal(saved.best, index <= 1, `best after epoch ${epoch}`)
    t.strictSame(saved.messages, [])
  }
  const names = (await store.list()).map((file) => path.basename(file))
  t.strictSame(names, [20, 40, 60, 70].map(checkpointName))
  t.equal(path.basename((await store.best())!), checkpointName(20))
})

t.test('damaged checkpoints are reported and the one before is used', async (t) => {
  const store = new CheckpointStore(t.testdir(), { last: 5, best: false })
  for (const step of [1, 2, 3]) await store.save(checkpoint(step))
  const [first, second, third] = (await store.list()) as [string, string, string]
  await writeFile(third, (await readFile(third)).subarray(0, 900))
  const damaged = await readFile(second)
  damaged[damaged.length - 1]! ^= 16
  await writeFile(second, damaged)
  const newest = await store.newest()
  t.equal(newest?.path, first)
  t.match(newest?.messages, [/step-000000003/, /step-000000002.*damaged/])
  await store.save(checkpoint(4))
  t.equal((await store.list()).length, 4, 'damaged files stay for whoever wants to look')
  for (const file of await store.list()) await writeFile(file, 'x')
  await t.rejects(store.newest(), { ...ERROR, message: /every checkpoint is damaged/ })
})

t.test('kill -9 in the middle of writing leaves the old checkpoint whole', { timeout: 120_000 }, async (t) => {
  const store = new CheckpointStore(t.testdir(), { last: 3, best: false })
  await store.save(checkpoint(1))
  const writer = fileURLToPath(new URL('./fixtures/endless-writer.js', import.meta.url))
  let interrupted = 0
  for (let i = 0; i < 8; i++) {
    const child = spawn(process.execPath, [writer, store.folder], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } })
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, 5 + 23 * i))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const newest = await store.newest()
    t.ok(newest, 'there is a good checkpoint')
    t.strictSame(newest?.messages, [], 'and nothing else passes for one')
    interrupted += (await store.clean()).length
    t.notOk((await readdir(store.folder)).some(isPartial), 'leftovers are gone')
  }
  t.ok(interrupted > 0, `some writes were interrupted (${interrupted} of 8)`)
})

t.test('two writers of one name never mix', async (t) => {
  const file = path.join(t.testdir(), 'one.safetensors')
  await Promise.all([1, 2, 3, 4].map((step) => writeCheckpoint(file, checkpoint(step))))
  t.match((await readCheckpoint(file)).meta.position.step, Number)
})

t.test('errors are of the one class', async (t) => {
  const error = await readCheckpoint('/nonexistent/file').catch((error: unknown) => error)
  t.ok(error instanceof FacexError)
})
