import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { train, type TrainOptions } from '../../lib/report/train.js'
import type { RunListener } from '../../lib/training/events.js'
import { withSmallDisk } from '../model/small-disk.js'
import { finalTensors } from './children.js'
import { runFolder, tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()

/** Fills the disk to its last byte with one file. */
function fill(file: string): void {
  const handle = openSync(file, 'w')
  for (let size = 2 ** 16; size > 0; ) {
    try {
      if (writeSync(handle, Buffer.alloc(size)) < size) size >>= 1
    } catch {
      size >>= 1
    }
  }
  closeSync(handle)
}

/** A run whose checkpoints lie on `disk` and whose log does not; `event` happens after the first checkpoint. */
async function trainUntil(disk: string, event: () => void, changes: Parameters<typeof tinyConfig>[1] = {}, options: TrainOptions = {}) {
  const config = tinyConfig(root, { epochs: 3, checkpoint: { every_steps: 4 }, out_dir: path.join(disk, 'run'), log: { dir: runFolder(), every: 2, tensorboard: false }, ...changes })
  let saved = 0
  const listener: RunListener = { onCheckpoint: () => void (saved++ === 0 && event()) }
  const error = await train(config, { ...options, listeners: [listener] }).then(() => undefined, (thrown: unknown) => thrown)
  return { config, error }
}

t.test('a disk that fills up ends the run with the reason, and when there is room the run goes on to the same bits', async (t) => {
  const straight = tinyConfig(root, { epochs: 3 })
  await train(straight)
  const expected = (await finalTensors(straight)).tensors
  for (const while_training of [true, false]) {
    const reason = await withSmallDisk(async (disk) => {
      const filler = path.join(disk, 'filler')
      const { config, error } = await trainUntil(disk, () => fill(filler), { checkpoint: { every_steps: 4, while_training } })
      t.match(error, { code: 'ERR_CHECKPOINT', message: /step-000000008.*the disk is full/ })
      t.strictSame(readdirSync(path.join(config.out_dir!, 'checkpoints')), ['step-000000004.safetensors'], 'the one before stays, nothing half written')
      rmSync(filler)
      t.match(await train(config, { resume: true }), { reason: 'finished', step: 36 })
      t.strictSame((await finalTensors(config)).tensors, expected)
    })
    if (reason !== undefined) t.pass(reason, { skip: reason })
  }
})

t.test('a folder that becomes read-only ends the run with the reason, at the end of it if nothing came after', async (t) => {
  const reason = await withSmallDisk(async (disk) => {
    const folder = path.join(disk, 'run', 'checkpoints')
    // Mounted over itself: the disk as a whole is busy, as the run's lock is open.
    const lock = () => [['--bind', folder, folder], ['-o', 'remount,ro,bind', folder]].forEach((argv) => t.equal(spawnSync('mount', argv).status, 0))
    const { error } = await trainUntil(disk, lock, { epochs: 1, checkpoint: { every_steps: 6 } })
    spawnSync('umount', [folder])
    t.match(error, { code: 'ERR_CHECKPOINT', message: /step-000000012.*read-only/ })
    t.strictSame(readdirSync(folder), ['step-000000006.safetensors'], 'the one before stays')
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})

t.test('a clock that is set back does not change which checkpoint is the newest', async (t) => {
  const config = tinyConfig(root, { epochs: 2, checkpoint: { keep_last: 5 } })
  const now = Date.now
  const backwards = { onCheckpoint: () => void (Date.now = () => now() - 86_400_000) }
  try {
    await train({ ...config, epochs: 1 }, { listeners: [backwards] })
    spawnSync('touch', ['-d', '2099-01-01', path.join(config.out_dir!, 'checkpoints', 'step-000000012.safetensors')])
    t.match(await train(config, { resume: true }), { reason: 'finished', step: 24 })
  } finally {
    Date.now = now
  }
  t.equal((await finalTensors(config)).step, 24)
})
