import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'

import t from 'tap'

import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { withSmallDisk } from './small-disk.js'
import { checkpoint, tensor } from './tensors.js'

const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }
const MEBIBYTE = 2 ** 20

t.test('a full disk is an error that says so, and the checkpoints before it stay', async (t) => {
  const reason = await withSmallDisk(async (folder) => {
    const store = new CheckpointStore(folder, { last: 1, best: false })
    const { meta, tensors } = checkpoint(1)
    await store.save({ meta, tensors: [...tensors, tensor('backbone.large', 'uint8', [3 * MEBIBYTE])] })
    const next = checkpoint(2)
    await t.rejects(store.save({ ...next, tensors: [...tensors, tensor('backbone.large', 'uint8', [4 * MEBIBYTE])] }), { ...ERROR, message: /the disk is full/ })
    t.strictSame(await readdir(folder), ['step-000000001.safetensors'], 'nothing half written is left')
    t.match(await store.newest(), { messages: [], checkpoint: { meta: { position: { step: 1 } } } })
    await store.save(next)
    t.match(await store.newest(), { checkpoint: { meta: { position: { step: 2 } } } }, 'a smaller one goes through afterwards')
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})

t.test('a read-only folder is an error that says so, and reading still works', async (t) => {
  const reason = await withSmallDisk(async (folder) => {
    const store = new CheckpointStore(folder, { last: 1, best: false })
    await store.save(checkpoint(1))
    spawnSync('mount', ['-o', 'remount,ro', folder])
    await t.rejects(store.save(checkpoint(2)), { ...ERROR, message: /read-only/ })
    t.match(await store.newest(), { checkpoint: { meta: { position: { step: 1 } } } })
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})
