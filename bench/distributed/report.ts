/** What the benchmark asks of a rank and what it answers. @module */
import type { Volume } from './volume.js'

export interface RankRequest {
  readonly backbone: string
  readonly head: string
  readonly classes: number
  /** Images of a step on all ranks. */
  readonly batch: number
  readonly steps: number
  readonly threads: number
  readonly syncBatchNorm: boolean
  readonly bfloat16: boolean
}

/** Of rank 0, a step on average; peaks of all ranks. */
export interface RankReport {
  readonly imagesPerSecond: number
  /** Share of the time that waits for other ranks. */
  readonly waitShare: number
  readonly volume: Volume
  readonly operations: number
  readonly loopbackBytes: number
  readonly peakBytes: readonly number[]
  readonly parameters: number
  readonly normChannels: number
}
