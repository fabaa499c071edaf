/**
 * Draws from distributions, on top of the bits of {@link Random}.
 * @module
 */
import { Random } from '../random.js'

export class Draw {
  readonly #random: Random

  constructor(...keys: number[]) {
    this.#random = new Random(...keys)
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * (this.#random.next() / 2 ** 32)
  }

  /** Normal, kept within two standard deviations so that no face falls apart. */
  around(centre: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(this.between(1e-9, 1)))
    const value = radius * Math.cos(2 * Math.PI * this.between(0, 1))
    return centre + deviation * Math.max(-2, Math.min(2, value))
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)]!
  }

  below(n: number): number {
    return this.#random.below(n)
  }
}
