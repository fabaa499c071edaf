/**
 * Cross-validation folds of a pair list: the threshold of a fold is chosen on all the others.
 *
 * Folds are consecutive runs of pairs, as FaceX-Zoo, insightface and LFW itself cut them; the first ones are one pair
 * longer where the count does not divide. A list that has all genuine pairs before all impostors would get folds of one
 * kind that way, so there each kind is cut on its own.
 * @module
 */
import { FacexError } from '../errors.js'

/** Pair indices of each fold, ascending. */
export function makeFolds(genuine: Uint8Array, folds: number): Uint32Array[] {
  if (!Number.isInteger(folds) || folds < 2) throw new FacexError('ERR_USAGE', `folds: expected an integer of at least 2, received ${folds}`)
  const all = Uint32Array.from(genuine.keys())
  const consecutive = cut(all, folds)
  if (consecutive.every((fold) => hasBothKinds(fold, genuine))) return consecutive
  const same = all.filter((pair) => genuine[pair] === 1)
  const different = all.filter((pair) => genuine[pair] === 0)
  if (Math.min(same.length, different.length) < folds) {
    throw new FacexError(
      'ERR_DATA',
      `${folds} folds need at least ${folds} pairs of the same person and ${folds} of different people, found ${same.length} and ${different.length}: ask for fewer folds`,
    )
  }
  const impostorFolds = cut(different, folds)
  return cut(same, folds).map((fold, i) => Uint32Array.from([...fold, ...impostorFolds[i]!]).sort())
}

function cut(pairs: Uint32Array, folds: number): Uint32Array[] {
  const size = Math.floor(pairs.length / folds)
  const longer = pairs.length % folds
  const start = (fold: number) => fold * size + Math.min(fold, longer)
  return Array.from({ length: folds }, (_, fold) => pairs.subarray(start(fold), start(fold + 1)))
}

function hasBothKinds(fold: Uint32Array, genuine: Uint8Array): boolean {
  return fold.some((pair) => genuine[pair] === 1) && fold.some((pair) => genuine[pair] === 0)
}
