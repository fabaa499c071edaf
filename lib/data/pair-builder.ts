/**
 * Pair lists in memory: each image once, pairs by index.
 * @module
 */

export interface PairList {
  /** Different images, in order of first appearance. */
  readonly paths: readonly string[]
  /** Index into `paths` of the first and second image of each pair. */
  readonly first: Uint32Array
  readonly second: Uint32Array
  /** 1 where both images show the same person. */
  readonly genuine: Uint8Array
  /** Line of each pair in the file, from 1. */
  readonly lines: Uint32Array
  /** Folds that the list itself declares (LFW's first line); consecutive pairs make a fold. */
  readonly folds?: number
}

export interface Pair {
  readonly a: string
  readonly b: string
  readonly genuine: boolean
}

/** Collects pairs; an image named again gets the index it has. */
export class PairBuilder {
  readonly #index = new Map<string, number>()
  readonly #first: number[] = []
  readonly #second: number[] = []
  readonly #genuine: number[] = []
  readonly #lines: number[] = []
  genuineCount = 0

  get count(): number {
    return this.#genuine.length
  }

  add(pair: Pair, line: number): void {
    this.#first.push(this.#indexOf(pair.a))
    this.#second.push(this.#indexOf(pair.b))
    this.#genuine.push(Number(pair.genuine))
    this.#lines.push(line)
    this.genuineCount += Number(pair.genuine)
  }

  finish(): PairList {
    return {
      paths: [...this.#index.keys()],
      first: Uint32Array.from(this.#first),
      second: Uint32Array.from(this.#second),
      genuine: Uint8Array.from(this.#genuine),
      lines: Uint32Array.from(this.#lines),
    }
  }

  #indexOf(path: string): number {
    let index = this.#index.get(path)
    if (index === undefined) this.#index.set(path, (index = this.#index.size))
    return index
  }
}
