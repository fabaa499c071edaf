/**
 * What a training step sends, by formula. N batch, D embedding, P parameters, C channels of all batch norms together, R
 * ranks. docs/distributed.md derives each term.
 * @module
 */

export interface StepShape {
  readonly ranks: number
  /** Images of a step on all ranks. */
  readonly batch: number
  readonly dim: number
  /** Trainable parameters of the backbone. */
  readonly parameters: number
  /** Bytes of a gradient on its way: 4, or 2 as bfloat16. */
  readonly gradientBytes: number
  /** Channels of all synchronised batch norms; 0 without. */
  readonly normChannels: number
  /** Whether the head has class centres, which the ranks share. */
  readonly sharesClasses: boolean
}

/** Bytes of tensors that a rank hands to each kind of operation. */
export interface Volume {
  readonly allReduced: number
  readonly gathered: number
  readonly scattered: number
}

/** Operations that a rank waits for one after the other, float32: what the backbone's gradients need, and all else. */
export interface StepOperations {
  /** Hidden behind backward as far as that takes as long. */
  readonly gradients: Volume
  readonly others: readonly Volume[]
}

const NOTHING: Volume = { allReduced: 0, gathered: 0, scattered: 0 }

export function stepOperations({ ranks, batch, dim, parameters, gradientBytes, normChannels, sharesClasses }: StepShape): StepOperations {
  const own = batch / ranks
  const reduced = (...bytes: number[]): Volume[] => bytes.map((allReduced) => ({ ...NOTHING, allReduced }))
  const gathered = (...bytes: number[]): Volume[] => bytes.map((part) => ({ ...NOTHING, gathered: part }))
  const head = sharesClasses
    ? // The cosine to the own class, maximum and sum of the softmax, gradients by own cosine and length.
      [...reduced(4 * batch, 4 * batch, 4 * batch, 8 * batch), { ...NOTHING, scattered: 4 * batch * dim }]
    : []
  const norms = normChannels === 0 ? [] : [...gathered(8 * normChannels), ...reduced(8 * normChannels)]
  return {
    gradients: { ...NOTHING, allReduced: parameters * gradientBytes },
    // Embeddings and labels; at the end the gradient norm, and whether someone wants to stop.
    others: [...norms, ...gathered(4 * own * dim, 8 * own), ...head, ...reduced(8, 8)],
  }
}

/** Payload of one step. */
export function stepVolume(shape: StepShape): Volume {
  const { gradients, others } = stepOperations(shape)
  return [gradients, ...others].reduce((sum, one) => ({
    allReduced: sum.allReduced + one.allReduced,
    gathered: sum.gathered + one.gathered,
    scattered: sum.scattered + one.scattered,
  }))
}

/** Bytes that a rank sends for a payload, by rings: all-reduce 2 (R - 1) / R, gather R - 1 times its part, scatter (R - 1) / R. */
export function sentBytes({ allReduced, gathered, scattered }: Volume, ranks: number): number {
  return ((2 * (ranks - 1)) / ranks) * allReduced + (ranks - 1) * gathered + ((ranks - 1) / ranks) * scattered
}

export interface Network {
  /** Bytes a second that a rank sends. */
  readonly bandwidth: number
  /** Seconds until a message that a neighbour sends is there. */
  readonly latency: number
}

/**
 * Seconds of one operation. Rings send the least and take R - 1 messages, twice for an all-reduce; small all-reduces go up and
 * down a tree instead, whose messages are few and whole.
 */
export function operationSeconds(operation: Volume, ranks: number, { bandwidth, latency }: Network): number {
  if (ranks === 1) return 0
  const messages = (operation.allReduced > 0 ? 2 : 1) * (ranks - 1)
  const ring = sentBytes(operation, ranks) / bandwidth + messages * latency
  if (operation.allReduced === 0) return ring
  const tree = 2 * Math.ceil(Math.log2(ranks)) * (operation.allReduced / bandwidth + latency)
  return Math.min(ring, tree)
}
