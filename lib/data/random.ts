/**
 * Random numbers for the order of samples: xoshiro128** (Blackman and Vigna, 2018), its state filled from any number of
 * integer keys. The same keys give the same order on every machine and after every resume.
 * @module
 */

export class Random {
  readonly #state = new Uint32Array(4)

  constructor(...keys: number[]) {
    let hash = 0x9e3779b9
    for (const key of keys) hash = mix(mix(hash ^ (key >>> 0)) + Math.floor(key / 2 ** 32))
    for (let i = 0; i < 4; i++) this.#state[i] = mix(hash + Math.imul(i + 1, 0x9e3779b9))
  }

  /** 32 random bits. */
  next(): number {
    const s = this.#state
    const result = Math.imul(rotated(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = rotated(s[3]!, 11)
    return result
  }

  /** Integer in [0, n); the bias is below n / 2^32. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n)
  }

  /** Permutes in place (Fisher and Yates). */
  shuffle<T extends Uint32Array | number[]>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const kept = items[last]!
      items[last] = items[other]!
      items[other] = kept
    }
    return items
  }
}

/** MurmurHash3's finaliser. */
function mix(x: number): number {
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

function rotated(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}
