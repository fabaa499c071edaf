/**
 * The folder of a run: taken by one process at a time, with the resolved configuration and the checkpoints.
 *
 * ```
 * runs/faces/
 *   config.yaml       the configuration with every default
 *   checkpoints/      step-000001200.safetensors ...
 *   train.log, metrics.jsonl, tensorboard/   written by lib/report
 * ```
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { stringify } from 'yaml'

import type { RunConfig } from '../config/run.js'
import { FacexError, messageOf } from '../errors.js'
import { CheckpointStore } from '../model/checkpoint-store.js'
import { addon } from '../native.js'

export interface RunFolder {
  readonly path: string
  readonly checkpoints: CheckpointStore
  /** Writes the configuration; called once it is known to fit the run that the folder holds. */
  saveConfig(): void
  /** Lets other processes have the folder. */
  release(): void
}

/**
 * Makes and locks the folder that the configuration names; with `owned: false` another process has done so.
 * @throws FacexError ERR_LOCKED when another process trains in it; ERR_CONFIG when it cannot be made or, without
 * `resume`, already holds a run
 */
export async function openRunFolder(config: RunConfig, options: { readonly resume: boolean; readonly owned?: boolean }): Promise<RunFolder> {
  const folder = config.out_dir
  if (options.owned === false) return { path: folder, checkpoints: storeOf(config), saveConfig: () => {}, release: () => {} }
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `out_dir: the run folder cannot be made: ${messageOf(error)}`, { cause: error })
  }
  const lock = addon().lockFile(path.join(folder, '.lock'))
  if (lock === undefined) {
    throw new FacexError('ERR_LOCKED', `${folder}: another process is training in this run folder. Wait for it, or choose another out_dir.`)
  }
  try {
    const checkpoints = storeOf(config)
    const existing = (await checkpoints.list()).at(-1)
    if (existing !== undefined && !options.resume) {
      throw new FacexError('ERR_CONFIG', `out_dir: ${folder} already holds a run (${path.basename(existing)}). Continue it with --resume, or choose another out_dir.`)
    }
    await checkpoints.clean()
    const saveConfig = () => writeFileSync(path.join(folder, 'config.yaml'), stringify(config))
    return { path: folder, checkpoints, saveConfig, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

function storeOf({ out_dir: folder, checkpoint }: RunConfig): CheckpointStore {
  const { keep_last: last, keep_best: best, keep_every_epochs: everyEpochs } = checkpoint
  return new CheckpointStore(path.join(folder, 'checkpoints'), { last, best, everyEpochs })
}
