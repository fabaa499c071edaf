import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import t from 'tap'

import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { checkpoint, tensor } from './tensors.js'

const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }
const MEBIBYTE = 2 ** 20

/** Calls `body` with the folder of a file system of six mebibytes; returns why that is not possible here. */
async function withSmallDisk(body: (folder: string) => Promise<void>): Promise<string | undefined> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'facex-small-disk-'))
  try {
    const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder], { encoding: 'utf8' })
    if (status !== 0) return `no small file system can be mounted: ${error?.message ?? stderr.trim()}`
    try {
      await body(folder)
    } finally {
      spawnSync('umount', [folder])
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

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
