/** Small runs that several processes can share, for tests. @module */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import type { RunConfigInput } from '../../lib/config/run.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { packageRoot } from '../../lib/setup/places.js'
import { runFolder, tinyConfig } from '../run/tiny-run.js'
import type { Ranks } from './ranks.js'

export const BIN = path.join(packageRoot(), 'bin', 'facex.mjs')

/** What starts many processes one after the other. */
export const LONG = { skip: process.env['FACEX_ALL'] !== '1' && 'takes a minute: FACEX_ALL=1' }

/** The configuration of a run whose batches 1, 2 and 3 processes can share; 8 steps an epoch. */
export function writeRun(root: string, changes: Partial<RunConfigInput> = {}): { file: string; folder: string } {
  const folder = runFolder()
  const config = tinyConfig(root, {
    out_dir: folder,
    batch_size: 6,
    epochs: 3,
    schedule: { name: 'step', milestones: [] },
    sync_batch_norm: true,
    threads: 1,
    log: { every: 1, tensorboard: false },
    distributed: { silence_seconds: 4, join_seconds: 60 },
    ...changes,
  })
  const file = `${folder}.yaml`
  writeFileSync(file, JSON.stringify(config))
  return { file, folder: config.out_dir! }
}

/** Resolves when a rank has said that an epoch is done. */
export function trains({ children }: Pick<Ranks, 'children'>): Promise<void> {
  return new Promise((resolve) => children[0]!.stderr!.on('data', (text: string) => (/epoch \d+\/\d+ done/.test(text) ? resolve() : undefined)))
}

/** Losses of all steps, as the run folder has them. */
export function losses(folder: string): number[] {
  const lines = readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as { event: string; loss: number }).filter(({ event }) => event === 'step').map(({ loss }) => loss)
}

/** The float32 tensors of a run's newest checkpoint. */
export async function weights(folder: string): Promise<Map<string, Float32Array>> {
  const { checkpoint } = (await new CheckpointStore(path.join(folder, 'checkpoints'), { last: 1, best: false }).newest())!
  return new Map(checkpoint.tensors.filter(({ dtype }) => dtype === 'float32').map(({ name, data }) => [name, new Float32Array(data)]))
}
