/** Memory of a head in a training step, in the fused form of `native/heads/fused`. @module */
import type { HeadPieces } from './head.js'

/** Bytes; float32 throughout. */
export interface HeadMemory {
  /** Class centres, or the queue of a prototype head. */
  readonly centres: number
  /** Whether an optimizer updates them. */
  readonly learns: boolean
  /** Gradient of the centres that a step sees, kept from step to step. */
  readonly gradient: number
  /** Partial FC: the sample of centres that a step computes with. */
  readonly sample: number
  /** The one batch-by-classes buffer. */
  readonly logits: number
}

/** Of a step with `batch` embeddings. Heads that only compare embeddings inside a batch take next to nothing. */
export function headMemory(head: HeadPieces, batch: number): HeadMemory {
  const { featDim, sampleRate = 1 } = head
  const slots = head.values['queue_size']
  if (slots !== undefined) {
    // A run lays the gallery of its batch over a copy of the queue and masks slots by a byte each.
    const centres = 4 * slots * featDim
    return { centres, learns: false, gradient: 0, sample: centres, logits: (4 + 1) * batch * slots }
  }
  if (head.centres === undefined) return { centres: 0, learns: false, gradient: 0, sample: 0, logits: 4 * batch * batch }
  const width = head.values['num_subcenters'] ?? 1
  const seen = sampledClasses(head, batch) * width
  return {
    centres: 4 * head.numClass * width * featDim,
    learns: true,
    gradient: 4 * seen * featDim,
    sample: sampleRate < 1 || head.centres === 'host' ? 4 * seen * featDim : 0,
    logits: 4 * batch * seen,
  }
}

/** Classes that a step sees when every sample of its batch is of another one. */
export function sampledClasses({ numClass, sampleRate = 1 }: HeadPieces, batch: number): number {
  return Math.min(numClass, Math.max(Math.ceil(sampleRate * numClass), batch))
}
