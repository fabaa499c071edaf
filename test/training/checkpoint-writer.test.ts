import t from 'tap'

import type { SavedCheckpoint } from '../../lib/model/checkpoint-store.js'
import { CheckpointWriter } from '../../lib/training/checkpoint-writer.js'
import { checkpoint } from '../model/tensors.js'

/** A store whose writes end when the test says so. */
function slowStore() {
  const writes: { finish(): void; fail(error: Error): void }[] = []
  const save = ({ meta }: ReturnType<typeof checkpoint>) =>
    new Promise<SavedCheckpoint>((resolve, reject) => {
      writes.push({ finish: () => resolve({ path: String(meta.position.step), best: false, messages: [] }), fail: reject })
    })
  return { writes, save }
}

t.test('training goes on while a checkpoint is written, and is told when it is safe', async (t) => {
  const store = slowStore()
  const writer = new CheckpointWriter(store)
  const events: string[] = []
  writer.begin(checkpoint(7), { saved: ({ path }) => events.push(path), done: () => events.push('done') })
  t.strictSame(events, [], 'nothing was waited for')
  let settled = false
  const settling = writer.settle().then(() => (settled = true))
  await new Promise(setImmediate)
  t.notOk(settled, 'the next one waits for it')
  store.writes[0]!.finish()
  await settling
  t.strictSame(events, ['done', '7'], 'the copy is let go first')
})

t.test('a write that fails is known at once and thrown once', async (t) => {
  const store = slowStore()
  const writer = new CheckpointWriter(store)
  let done = false
  writer.begin(checkpoint(7), { saved: () => t.fail('it was not saved'), done: () => (done = true) })
  store.writes[0]!.fail(new Error('the disk is full'))
  await new Promise(setImmediate)
  t.ok(writer.failed)
  t.ok(done, 'the copy is let go')
  await t.rejects(writer.settle(), { message: 'the disk is full' })
  t.notOk(writer.failed)
  await writer.settle()
})
