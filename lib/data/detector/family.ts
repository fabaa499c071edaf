/**
 * What a family of detectors is: how its network wants pixels and what its outputs mean.
 * @module
 */
import type { OnnxTensor } from '../../setup/onnx-runtime.js'
import type { DetectedFace } from './anchors.js'

export interface DetectorFamily {
  readonly name: string
  /** Whether a network with these outputs is of the family. */
  matches(outputNames: readonly string[]): boolean
  /** (value - mean) / std of each 8-bit value, in this order of channels. */
  readonly pixels: { readonly color: 'rgb' | 'bgr'; readonly mean: number; readonly std: number }
  /** Faces of at least `score` in an input of `size` x `size` pixels. */
  decode(outputs: Readonly<Record<string, OnnxTensor>>, outputNames: readonly string[], size: number, score: number): DetectedFace[]
}
