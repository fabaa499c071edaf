/**
 * The one figure of a result that tables show and that chooses the best checkpoint: accuracy, else rank 1, else TAR, else AUC.
 * @module
 */

/** What any result, or a stored one, may hold. */
export interface Figures {
  readonly accuracy?: number
  readonly ranks?: readonly { readonly rank: number; readonly accuracy: number }[]
  readonly tarAtFar?: readonly { readonly far: number; readonly tar: number }[]
  readonly auc?: number
}

export interface Headline {
  /** `accuracy`, `rank-1`, `TAR@FAR 0.0001`, `AUC`. */
  readonly figure: string
  /** 0 to 1. */
  readonly value: number
}

/** TAR is taken here, or at the smallest rate above that the pairs are enough for. */
const FAR = 1e-4

export function headline({ accuracy, ranks, tarAtFar, auc }: Figures): Headline {
  if (accuracy !== undefined) return { figure: 'accuracy', value: accuracy }
  if (ranks?.[0] !== undefined) return { figure: `rank-${ranks[0].rank}`, value: ranks[0].accuracy }
  const point = tarAtFar?.find(({ far }) => far >= FAR)
  return point === undefined ? { figure: 'AUC', value: auc ?? Number.NaN } : { figure: `TAR@FAR ${point.far}`, value: point.tar }
}
