/**
 * Samples grouped by class: two flat arrays, whatever the number of classes.
 * @module
 */
import { countPerClass } from '../sample-set.js'

export class SamplesByClass {
  /** Samples of class k: `#samples[#starts[k] ... #starts[k + 1])`, ascending. */
  readonly #starts: Uint32Array
  readonly #samples: Uint32Array

  constructor(labels: Int32Array, classCount: number) {
    const counts = countPerClass(labels, classCount)
    this.#starts = new Uint32Array(classCount + 1)
    for (let k = 0; k < classCount; k++) this.#starts[k + 1] = this.#starts[k]! + counts[k]!
    const next = this.#starts.slice(0, classCount)
    this.#samples = new Uint32Array(labels.length)
    labels.forEach((label, index) => {
      this.#samples[next[label]!++] = index
    })
  }

  count(label: number): number {
    return this.#starts[label + 1]! - this.#starts[label]!
  }

  /** Ascending indices; a view, not to be changed. */
  of(label: number): Uint32Array {
    return this.#samples.subarray(this.#starts[label]!, this.#starts[label + 1]!)
  }
}

/** 0 ... n - 1 */
export function range(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => i)
}
