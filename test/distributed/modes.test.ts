/** Every training mode on two processes, through the command line. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { facex } from '../facex.js'
import { writeTinyFaces } from '../run/tiny-run.js'
import { losses, LONG, writeRun } from './small-runs.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()
const quick = { epochs: 1, optimizer: { name: 'sgd', lr: 0.02 } } as const

/** Losses on one process and on two. */
function both(changes: Partial<RunConfigInput>): number[][] {
  return [['train'], ['launch', '--nproc', '2']].map((command) => {
    const { file, folder } = writeRun(root, { ...quick, ...changes })
    const { status, stderr } = facex([...command, file], { timeoutMs: 300_000 })
    t.equal(status, 0, status === 0 ? command.join(' ') : stderr)
    return losses(folder)
  })
}

t.test('every mode trains on two processes with the losses of one', LONG, async (t) => {
  const teacher = writeRun(root, { ...quick, head: { type: 'CosFace', scale: 16 } })
  t.equal(facex(['train', teacher.file]).status, 0)
  const head = { type: 'ArcFace', scale: 16 }
  const modes: Record<string, Partial<RunConfigInput>> = {
    'semi-siamese': { head: { type: 'SST_Prototype', queue_size: 24, scale: 16 }, mode: { name: 'semi-siamese' } },
    siamese: { head: { type: 'Contrastive' }, mode: { name: 'siamese' }, data: undefined },
    triplet: { head: { type: 'Triplet' }, mode: { name: 'triplet' }, data: undefined },
    'distillation of embeddings': { head, mode: { name: 'distillation', teacher: teacher.folder } },
    'distillation of class probabilities': { head, mode: { name: 'distillation', teacher: teacher.folder, distance: 'none', logits: {} } },
    'distillation of features': { head, mode: { name: 'distillation', teacher: teacher.folder, distance: 'none', hints: [{ student: 'prelu', teacher: 'prelu' }] } },
    'Partial FC': { head: { ...head, sample_rate: 0.99 } },
    'a moving average, clipping and accumulation': { head, ema: { decay: 0.9 }, accumulate: 2, optimizer: { name: 'adamw', lr: 1e-3, clip_norm: 0.5 } },
  }
  for (const [name, changes] of Object.entries(modes)) {
    const pairs = { data: { train: [{ kind: 'list' as const, root, list: path.join(root, 'train.txt') }], sampler: { name: 'p-k', k: 2 } } }
    const [alone, shared] = both('data' in changes ? { ...changes, ...pairs } : changes)
    t.equal(shared!.length, alone!.length, name)
    shared!.forEach((loss, step) => t.ok(Math.abs(loss - alone![step]!) < 1e-3 * Math.max(1e-2, Math.abs(alone![step]!)), `${name}, step ${step + 1}: ${loss} against ${alone![step]}`))
  }
})

t.test('fewer identities than processes are refused before the first step', LONG, async (t) => {
  const list = path.join(root, 'two.txt')
  writeFileSync(list, readFileSync(path.join(root, 'train.txt'), 'utf8').split('\n').filter((line) => / [01]$/.test(line)).join('\n'))
  const { file } = writeRun(root, { ...quick, data: { train: [{ kind: 'list', root, list }] } })
  const { status, stderr } = facex(['launch', '--nproc', '3', file], { timeoutMs: 120_000 })
  t.equal(status, 2)
  t.match(stderr, /expected at least as many identities as processes, got 2 for 3/)
})
