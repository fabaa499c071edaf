/**
 * The checkpoints of one run folder: which there are, which is the newest good one, and which may go.
 *
 * Order follows the step in the name, never the clock. One process writes at a time: whoever trains holds the lock of
 * the run folder.
 * @module
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import { readCheckpoint, readCheckpointMeta, writeCheckpoint, type Checkpoint, type CheckpointMeta } from './checkpoint.js'
import { isPartial } from './formats/file-access.js'

/** Which checkpoints stay; one that any rule keeps is kept. */
export interface KeepPolicy {
  /** Newest ones. */
  readonly last: number
  /** The one with the highest score. */
  readonly best: boolean
  /** Those at the end of every so many epochs. */
  readonly everyEpochs?: number | undefined
}

const NAME = /^step-(\d{9,})\.safetensors$/

export interface SavedCheckpoint {
  readonly path: string
  /** Has the highest score of all so far. */
  readonly best: boolean
  /** What could not be removed or read on the way; the checkpoint itself is safe. */
  readonly messages: readonly string[]
}

export interface NewestCheckpoint {
  readonly path: string
  readonly checkpoint: Checkpoint
  /** One line for each newer file that is damaged. */
  readonly messages: readonly string[]
}

export class CheckpointStore {
  constructor(
    readonly folder: string,
    readonly keep: KeepPolicy,
  ) {}

  /** Paths of all checkpoints, oldest first. Empty when the folder does not exist. */
  async list(): Promise<string[]> {
    const names = (await this.#names()).filter((name) => NAME.test(name))
    return names.toSorted((a, b) => stepOf(a) - stepOf(b)).map((name) => path.join(this.folder, name))
  }

  /** Removes what a crash left half written. Returns the names. For the process that holds the lock only. */
  async clean(): Promise<string[]> {
    const leftovers = (await this.#names()).filter(isPartial)
    for (const name of leftovers) await rm(path.join(this.folder, name), { force: true })
    return leftovers
  }

  /**
   * Writes the checkpoint of `checkpoint.meta.position.step`, then removes those that no rule keeps.
   * @throws FacexError ERR_CHECKPOINT when it cannot be written; older ones are untouched then
   */
  async save(checkpoint: Checkpoint): Promise<SavedCheckpoint> {
    const file = path.join(this.folder, checkpointName(checkpoint.meta.position.step))
    try {
      await mkdir(this.folder, { recursive: true })
    } catch (error) {
      throw new FacexError('ERR_CHECKPOINT', `${this.folder}: the folder cannot be made: ${messageOf(error)}`, { cause: error })
    }
    await writeCheckpoint(file, checkpoint)
    const { best, messages } = await this.#prune()
    return { path: file, best: best === file, messages }
  }

  /**
   * The newest checkpoint that is whole; undefined when there is none and none is damaged.
   * @throws FacexError ERR_CHECKPOINT when there are checkpoints but each is damaged
   */
  async newest(): Promise<NewestCheckpoint | undefined> {
    const messages: string[] = []
    for (const file of (await this.list()).reverse()) {
      try {
        return { path: file, checkpoint: await readCheckpoint(file), messages }
      } catch (error) {
        messages.push(messageOf(error))
      }
    }
    if (messages.length === 0) return undefined
    throw new FacexError('ERR_CHECKPOINT', `${this.folder}: every checkpoint is damaged:\n${messages.map((line) => `  ${line}`).join('\n')}`, { problems: messages })
  }

  /** Path of the checkpoint with the highest score; undefined when none has a score. */
  async best(): Promise<string | undefined> {
    return bestOf((await this.#readable()).found)
  }

  /** Damaged files are neither counted nor removed: someone may want to look at them. */
  async #prune(): Promise<{ best: string | undefined; messages: string[] }> {
    const { found, messages } = await this.#readable()
    const best = bestOf(found)
    const kept = new Set(found.slice(-this.keep.last).map((row) => row.path))
    if (this.keep.best && best !== undefined) kept.add(best)
    for (const row of found) {
      if (kept.has(row.path) || this.#isMilestone(row.meta)) continue
      await rm(row.path).catch((error: unknown) => messages.push(`${row.path}: could not be removed: ${messageOf(error)}`))
    }
    return { best, messages }
  }

  #isMilestone({ position }: CheckpointMeta): boolean {
    const { everyEpochs } = this.keep
    return everyEpochs !== undefined && position.batch === 0 && position.epoch > 0 && position.epoch % everyEpochs === 0
  }

  async #readable(): Promise<{ found: { path: string; meta: CheckpointMeta }[]; messages: string[] }> {
    const found: { path: string; meta: CheckpointMeta }[] = []
    const messages: string[] = []
    for (const file of await this.list()) {
      try {
        found.push({ path: file, meta: (await readCheckpointMeta(file)).meta })
      } catch (error) {
        messages.push(messageOf(error))
      }
    }
    return { found, messages }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw new FacexError('ERR_CHECKPOINT', `${this.folder}: cannot be read: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** `step-000001200.safetensors`: names sort as their steps do. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.safetensors`
}

function stepOf(name: string): number {
  return Number(NAME.exec(name)![1])
}

/** The newest of those with the highest score; NaN is no score. */
function bestOf(rows: readonly { path: string; meta: CheckpointMeta }[]): string | undefined {
  let best: { path: string; score: number } | undefined
  for (const { path: file, meta } of rows) {
    const score = meta.score ?? Number.NaN
    if (score >= (best?.score ?? Number.NEGATIVE_INFINITY)) best = { path: file, score }
  }
  return best?.path
}
