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
  /** What computing the loss needs beside all that and gives back. */
  readonly scratch: number
}

/** Of a step with `batch` embeddings. Heads that only compare embeddings inside a batch take next to nothing. */
export function headMemory(head: HeadPieces, batch: number): HeadMemory {
  const { featDim, sampleRate = 1 } = head
  const slots = head.values['queue_size']
  if (slots !== undefined) {
    // A run lays the gallery of its batch over a copy of the queue and masks slots by a byte each.
    const centres = 4 * slots * featDim
    return { centres, learns: false, gradient: 0, sample: centres, logits: (4 + 1) * batch * slots, scratch: 0 }
  }
  if (head.name === 'LogitDistillation') return logitDistillation(head, batch)
  if (head.centres === undefined) return { centres: 0, learns: false, gradient: 0, sample: 0, logits: 4 * batch * batch, scratch: 0 }
  const width = head.values['num_subcenters'] ?? 1
  const seen = sampledClasses(head, batch) * width
  return {
    centres: 4 * head.numClass * width * featDim,
    learns: true,
    gradient: 4 * seen * featDim,
    sample: sampleRate < 1 || head.centres === 'host' ? 4 * seen * featDim : 0,
    logits: 4 * batch * seen,
    scratch: 0,
  }
}

/**
 * By autograd on whole matrices, [batch, K] and [K, D]; factors measured on Linux. Its own are the teacher's class centres,
 * the student's belong to the head.
 */
function logitDistillation({ numClass, featDim, values }: HeadPieces, batch: number): HeadMemory {
  const teacherDim = values['teacher_dim']!
  const [matrix, centres] = [4 * batch * numClass, 4 * numClass * Math.max(featDim, teacherDim)]
  const scratch = Math.max(5.5 * matrix + 2 * centres, 2 * matrix + 5.2 * centres)
  return { centres: 4 * numClass * teacherDim, learns: false, gradient: 0, sample: 0, logits: 0, scratch }
}

/** Classes that a step sees when every sample of its batch is of another one. */
export function sampledClasses({ numClass, sampleRate = 1 }: HeadPieces, batch: number): number {
  return Math.min(numClass, Math.max(Math.ceil(sampleRate * numClass), batch))
}
