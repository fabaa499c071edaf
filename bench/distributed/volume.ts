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

/** Payload of one step, float32. */
export function stepVolume({ ranks, batch, dim, parameters, gradientBytes, normChannels, sharesClasses }: StepShape): Volume {
  const own = batch / ranks
  // The cosine to the own class, maximum and sum of the softmax, gradients by own cosine and length.
  const rows = sharesClasses ? 5 * 4 * batch : 0
  const [norm, stop] = [8, 8]
  return {
    allReduced: parameters * gradientBytes + 2 * 4 * normChannels + rows + norm + stop,
    gathered: own * (4 * dim + 8) + 2 * 4 * normChannels,
    scattered: sharesClasses ? 4 * batch * dim : 0,
  }
}

/** Bytes that a rank sends for a payload, by rings: all-reduce 2 (R - 1) / R, gather R - 1 times its part, scatter (R - 1) / R. */
export function sentBytes({ allReduced, gathered, scattered }: Volume, ranks: number): number {
  return ((2 * (ranks - 1)) / ranks) * allReduced + (ranks - 1) * gathered + ((ranks - 1) / ranks) * scattered
}
