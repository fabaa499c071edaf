/**
 * The static graph: what a backbone becomes once its layers have been called, and what travels to the addon.
 *
 * Plain data, no methods: it can be printed, hashed, compared and stored. `ops.ts` says which nodes are legal,
 * `builder.ts` makes graphs, `native/engine/graph.h` is the same structure in C++.
 * @module
 */

/**
 * Shape of a value with a symbolic batch: the tensor is `[batch * N, ...dims]`, where N is the batch size of the
 * run. `batch` is 1 almost everywhere; window attention, for example, has 64 windows an image: `batch` 64.
 */
export interface Shape {
  readonly batch: number
  readonly dims: readonly number[]
}

/** Value of a node attribute. */
export type Attribute = number | string | boolean | readonly number[]

/** How a parameter or buffer gets its first value. Each is seeded by the run's seed and its own name. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  | { readonly kind: 'truncated_normal'; readonly std: number; readonly low: number; readonly high: number }
  /** Fixed content that belongs to the structure, such as Swin's relative_position_index; row-major. */
  | { readonly kind: 'values'; readonly values: readonly number[] }

/** One entry of the state dict, named as PyTorch names it. */
export interface StateEntry {
  readonly name: string
  readonly shape: readonly number[]
  /** `parameter` receives gradients, `buffer` is state without gradient (running statistics, fixed tables). */
  readonly kind: 'parameter' | 'buffer'
  readonly dtype: 'float' | 'int64'
  readonly init: Initializer
}

/** One operation with one result. `id` equals its position in {@link Graph.nodes}. */
export interface Node {
  readonly id: number
  readonly op: string
  /** Ids of the nodes whose results are the operands. */
  readonly inputs: readonly number[]
  /** State entries by their role in the op, such as `{ weight: 'conv1.conv.weight' }`. */
  readonly params: Readonly<Record<string, string>>
  readonly attrs: Readonly<Record<string, Attribute>>
  readonly shape: Shape
  /** Path of the layer that emitted the node, such as `layer3.0.conv1`; names the node in errors and profiles. */
  readonly path: string
}

/** A network. Nodes are in execution order; inputs are nodes with op `input`. */
export interface Graph {
  readonly name: string
  /** State dict in PyTorch's order. May hold entries that no node uses (dead parameters of the published networks). */
  readonly state: readonly StateEntry[]
  readonly nodes: readonly Node[]
  /** Named results. A backbone has one, `embedding`; hints for distillation may name more. */
  readonly outputs: Readonly<Record<string, number>>
}
