/**
 * Groups of pictures whose perceptual hashes hardly differ.
 *
 * Two hashes that differ in at most d bits agree in at least one of d + 1 pieces (the pigeonhole principle), so only
 * pictures that agree in a piece are compared: sorting by each piece in turn brings them side by side.
 * @module
 */
const WORDS = 8
const BITS = 32 * WORDS
/** Where more pictures than this agree in a piece (plain backgrounds do), each is compared with so many neighbours only. */
const NEIGHBOURS = 500

/**
 * Indices of alike pictures, each group ascending; pictures without a like are in none.
 * @param words eight 32-bit numbers a picture
 * @param skip pictures to leave out
 */
export function alikeGroups(words: Uint32Array, distance: number, skip: ReadonlySet<number> = new Set()): number[][] {
  const count = words.length / WORDS
  const groups = new Groups(count)
  const pictures = Uint32Array.from({ length: count }, (_, i) => i).filter((index) => !skip.has(index))
  for (let piece = 0; piece <= distance; piece++) {
    const [from, to] = [Math.floor((piece * BITS) / (distance + 1)), Math.floor(((piece + 1) * BITS) / (distance + 1))]
    const keys = Float64Array.from({ length: count }, (_, index) => bitsOf(words, index, from, Math.min(to, from + 48)))
    pictures.sort((a, b) => keys[a]! - keys[b]! || a - b)
    for (let i = 0; i < pictures.length; i++) {
      const [a, last] = [pictures[i]!, Math.min(pictures.length, i + 1 + NEIGHBOURS)]
      for (let j = i + 1; j < last && keys[pictures[j]!] === keys[a]; j++) {
        if (differingBits(words, a, pictures[j]!) <= distance) groups.join(a, pictures[j]!)
      }
    }
  }
  return groups.listed()
}

/** Bits [from, to) of a hash as one number; at most 48. */
function bitsOf(words: Uint32Array, index: number, from: number, to: number): number {
  let value = 0
  for (let bit = from; bit < to; bit++) value = 2 * value + ((words[index * WORDS + (bit >> 5)]! >>> (bit & 31)) & 1)
  return value
}

export function differingBits(words: Uint32Array, a: number, b: number): number {
  let count = 0
  for (let word = 0; word < WORDS; word++) {
    let bits = words[a * WORDS + word]! ^ words[b * WORDS + word]!
    bits -= (bits >>> 1) & 0x55555555
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}

/** Disjoint sets; the smallest member stands for a set. */
class Groups {
  readonly #parent: Uint32Array

  constructor(count: number) {
    this.#parent = Uint32Array.from({ length: count }, (_, i) => i)
  }

  join(a: number, b: number): void {
    const [x, y] = [this.#root(a), this.#root(b)]
    this.#parent[Math.max(x, y)] = Math.min(x, y)
  }

  listed(): number[][] {
    const members = new Map<number, number[]>()
    this.#parent.forEach((parent, index) => {
      const root = this.#root(parent)
      if (root === index) return
      const group = members.get(root)
      if (group === undefined) members.set(root, [root, index])
      else group.push(index)
    })
    return [...members.values()]
  }

  #root(index: number): number {
    while (this.#parent[index] !== index) {
      this.#parent[index] = this.#parent[this.#parent[index]!]!
      index = this.#parent[index]!
    }
    return index
  }
}
