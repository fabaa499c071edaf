/**
 * What the emitters of single ops share.
 * @module
 */
import type { Node, Shape } from '../../graph/types.js'
import type { OnnxModel } from './onnx-model.js'

/** Content of a state entry with its shape. */
export interface Content {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

/** What an emitter sees of a node. */
export interface EmitContext {
  readonly model: OnnxModel
  readonly node: Node
  /** Names of the operands' values. */
  readonly inputs: readonly string[]
  /** Shapes of the operands. */
  readonly shapes: readonly Shape[]
  /** Stores the entry in a role, as `shape` where that differs; returns its name. */
  parameter(role: string, shape?: readonly number[]): string
  /** The entry in a role; undefined where the node has none. */
  content(role: string): Content | undefined
}
