/**
 * Verification pairs of held-out drawn identities, laid out as LFW's list is: ten blocks of as many genuine pairs as
 * impostor pairs, so that consecutive folds hold both.
 * @module
 */
import { Draw } from './draw.js'

type Image = readonly [identity: number, image: number]

export interface DrawnPair {
  readonly a: Image
  readonly b: Image
  readonly genuine: boolean
}

const FOLDS = 10
const PAIRS_OF_A_KIND = 30

export function drawPairs({ identities, images, seed }: { identities: number; images: number; seed: number }): DrawnPair[] {
  const draw = new Draw(seed, 3)
  /** An index that is not `other`. */
  const another = (n: number, other: number) => (other + 1 + draw.below(n - 1)) % n
  return Array.from({ length: FOLDS * 2 * PAIRS_OF_A_KIND }, (_, i) => {
    const genuine = Math.floor(i / PAIRS_OF_A_KIND) % 2 === 0
    const a: Image = [draw.below(identities), draw.below(images)]
    const b: Image = genuine ? [a[0], another(images, a[1])] : [another(identities, a[0]), draw.below(images)]
    return { a, b, genuine }
  })
}
