/**
 * Writes checkpoints while training goes on: a run waits for the copy of its state and not for the disk.
 * @module
 */
import type { Checkpoint } from '../model/checkpoint.js'
import type { CheckpointStore, SavedCheckpoint } from '../model/checkpoint-store.js'

/** The part of the store that is used. */
export type SavesCheckpoints = Pick<CheckpointStore, 'save'>

/** Who wants to know. */
export interface WriteListener {
  /** The file is safe on the disk. */
  readonly saved: (saved: SavedCheckpoint) => void
  /** The tensors are not needed any more, whether they were written or not. Called before `saved`. */
  readonly done: () => void
}

export class CheckpointWriter {
  readonly #store: SavesCheckpoints
  #writing: Promise<void> | undefined
  #failed = false

  constructor(store: SavesCheckpoints) {
    this.#store = store
  }

  /** The last one could not be written: {@link settle} throws the reason. */
  get failed(): boolean {
    return this.#failed
  }

  /** Begins to write; the one before must have settled, so that only one copy of the state is held. */
  begin(checkpoint: Checkpoint, { saved, done }: WriteListener): void {
    this.#writing = this.#store.save(checkpoint).finally(done).then(saved)
    this.#writing.catch(() => (this.#failed = true))
  }

  /** Waits for what is being written. Throws what it failed with, once. */
  async settle(): Promise<void> {
    const writing = this.#writing
    this.#writing = undefined
    try {
      await writing
    } finally {
      this.#failed = false
    }
  }
}
