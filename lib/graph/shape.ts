/**
 * Shape rules: the shape of a node's result from its operands, parameters and attributes, or a mistake that names both.
 *
 * Rules know nothing of layers; the builder puts the layer's path in front of their messages.
 * @module
 */
import type { Attribute, Shape } from './types.js'

/** What a rule sees of a node. */
export interface NodeView {
  readonly inputs: readonly Shape[]
  /** Shapes of the state entries by role. */
  readonly params: Readonly<Record<string, readonly number[]>>
  readonly attrs: Readonly<Record<string, Attribute>>
}

export type ShapeRule = (node: NodeView) => Shape

/** A node that cannot be: thrown by rules, reported by the builder with the layer's path. */
export class ShapeMistake extends Error {}

/** `[256, 14, 14]`, with the batch multiplier in front when it is not 1: `64 x [49, 96]`. */
export function formatShape(shape: Shape): string {
  const dims = formatDims(shape.dims)
  return shape.batch === 1 ? dims : `${shape.batch} x ${dims}`
}

export function formatDims(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`
}

/** Whether `dims` can be the size of something: whole numbers from 1. */
export function isExtent(dims: readonly number[]): boolean {
  return dims.every((dim) => Number.isSafeInteger(dim) && dim >= 1)
}

/** Number of elements of `dims`. */
export function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.batch === b.batch && sameDims(a.dims, b.dims)
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i])
}

function check(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ShapeMistake(message())
}

const first = (node: NodeView): Shape => node.inputs[0]!
const number = (node: NodeView, name: string): number => node.attrs[name] as number
const numbers = (node: NodeView, name: string): readonly number[] => node.attrs[name] as readonly number[]

/** Channels, height and width of the operand, or a mistake. */
function image(shape: Shape): [number, number, number] {
  check(shape.dims.length === 3, () => `expected an image [C, H, W], got ${formatShape(shape)}`)
  return shape.dims as unknown as [number, number, number]
}

/** Tokens and channels of the operand, or a mistake. */
function tokens(shape: Shape): [number, number] {
  check(shape.dims.length === 2, () => `expected tokens [T, C], got ${formatShape(shape)}`)
  return shape.dims as unknown as [number, number]
}

function checkParam(node: NodeView, role: string, expected: readonly number[]): void {
  const found = node.params[role]
  if (found === undefined) return
  check(sameDims(found, expected), () => `${role} of shape ${formatDims(expected)} expected, got ${formatDims(found)}`)
}

export const input: ShapeRule = (node) => ({ batch: 1, dims: numbers(node, 'dims') })

export const same: ShapeRule = (node) => first(node)

export const conv2d: ShapeRule = (node) => {
  const [channels, height, width] = image(first(node))
  const [out, inside, kernelHeight, kernelWidth] = node.params.weight as [number, number, number, number]
  const groups = number(node, 'groups')
  check(channels === inside * groups, () => `expected ${inside * groups} channels, got ${channels}`)
  check(out % groups === 0, () => `${out} output channels do not divide into ${groups} groups`)
  checkParam(node, 'bias', [out])
  const [kernel, size] = [[kernelHeight, kernelWidth], [height, width]]
  const [stride, padding, dilation] = ['stride', 'padding', 'dilation'].map((name) => numbers(node, name))
  const space = size.map((extent, i) => {
    const reach = dilation![i]! * (kernel[i]! - 1) + 1
    const result = Math.floor((extent + 2 * padding![i]! - reach) / stride![i]!) + 1
    check(result >= 1, () => `kernel ${kernelHeight} x ${kernelWidth} is larger than the padded input ${height} x ${width}`)
    return result
  })
  return { batch: first(node).batch, dims: [out, ...space] }
}

export const conv2dAct: ShapeRule = (node) => {
  const result = conv2d(node)
  if (node.inputs.length === 2) sameOperands({ ...node, inputs: [result, node.inputs[1]!] })
  prelu({ ...node, inputs: [result], params: { weight: node.params.slope ?? [1] } })
  return result
}

export const linear: ShapeRule = (node) => {
  const { batch, dims } = first(node)
  const [out, inside] = node.params.weight as [number, number]
  const found = dims.at(-1)
  check(found === inside, () => `expected ${inside} features, got ${found}`)
  checkParam(node, 'bias', [out])
  return { batch, dims: [...dims.slice(0, -1), out] }
}

export const batchNorm: ShapeRule = (node) => {
  const { dims } = first(node)
  check(dims.length === 1 || dims.length === 3, () => `expected [C, H, W] or [C], got ${formatShape(first(node))}`)
  const [expected] = node.params.running_mean as [number]
  check(dims[0] === expected, () => `expected ${expected} channels, got ${dims[0]}`)
  for (const role of ['weight', 'bias', 'running_var']) checkParam(node, role, [expected])
  return first(node)
}

export const batchNormAct: ShapeRule = (node) => {
  if (node.inputs.length === 2) sameOperands(node)
  prelu({ ...node, params: { weight: node.params.slope ?? [1] } })
  return batchNorm(node)
}

export const layerNorm: ShapeRule = (node) => {
  const [expected] = node.params.weight as [number]
  const found = first(node).dims.at(-1)
  check(found === expected, () => `expected ${expected} features, got ${found}`)
  checkParam(node, 'bias', [expected])
  return first(node)
}

export const prelu: ShapeRule = (node) => {
  const [expected] = node.params.weight as [number]
  const found = first(node).dims[0]
  check(expected === 1 || found === expected, () => `expected ${expected} channels, got ${found}`)
  return first(node)
}

export const addParameter: ShapeRule = (node) => {
  const expected = [1, ...first(node).dims]
  const found = node.params.weight!
  check(sameDims(found, expected), () => `expected an input of shape ${formatDims(found.slice(1))}, got ${formatShape(first(node))}`)
  return first(node)
}

export const attention: ShapeRule = (node) => {
  const [count, triple] = tokens(first(node))
  const heads = number(node, 'heads')
  check(triple % (3 * heads) === 0, () => `${triple} features do not divide into q, k, v of ${heads} heads`)
  checkParam(node, 'index', [count, count])
  const table = node.params.bias_table
  check(table === undefined || table[1] === heads, () => `bias table for ${heads} heads expected, got ${formatDims(table!)}`)
  check((table === undefined) === (node.params.index === undefined), () => 'bias_table and index belong together')
  const mask = node.params.mask
  if (mask !== undefined) checkParam(node, 'mask', [first(node).batch, count, count])
  return { batch: first(node).batch, dims: [count, triple / 3] }
}

export const softmax: ShapeRule = (node) => {
  dimension(node)
  return first(node)
}

export const sameOperands: ShapeRule = (node) => {
  const [a, b] = node.inputs as [Shape, Shape]
  check(sameShape(a, b), () => `operands of one shape expected, got ${formatShape(a)} and ${formatShape(b)}`)
  return a
}

export const addChannels: ShapeRule = (node) => {
  const [a, b] = node.inputs as [Shape, Shape]
  const [channels, ...space] = image(a)
  const [fewer, ...sameSpace] = image(b)
  const fits = a.batch === b.batch && fewer <= channels && sameDims(space, sameSpace)
  check(fits, () => `expected at most the channels of ${formatShape(a)} at its size, got ${formatShape(b)}`)
  return a
}

export const mul: ShapeRule = (node) => {
  const [a, b] = node.inputs as [Shape, Shape]
  const gate = a.batch === b.batch && a.dims.length === 3 && sameDims(b.dims, [a.dims[0]!, 1, 1])
  check(gate || sameShape(a, b), () => `operands of one shape or a gate [C, 1, 1] expected, got ${formatShape(a)} and ${formatShape(b)}`)
  return a
}

export const concat: ShapeRule = (node) => {
  const dim = dimension(node)
  const [head, ...rest] = node.inputs as [Shape, ...Shape[]]
  for (const other of rest) {
    const fits = head.batch === other.batch && head.dims.length === other.dims.length
    const agree = fits && head.dims.every((extent, i) => i === dim || extent === other.dims[i])
    check(agree, () => `operands that differ in dimension ${dim} only expected, got ${formatShape(head)} and ${formatShape(other)}`)
  }
  const total = node.inputs.reduce((sum, shape) => sum + shape.dims[dim]!, 0)
  return { batch: head.batch, dims: head.dims.map((extent, i) => (i === dim ? total : extent)) }
}

export const pool2d: ShapeRule = (node) => {
  const [channels, ...size] = image(first(node))
  const [kernel, stride, padding] = ['kernel', 'stride', 'padding'].map((name) => numbers(node, name))
  check(padding!.every((p, i) => 2 * p <= kernel![i]!), () => `padding ${padding!.join(' x ')} is more than half of the window ${kernel!.join(' x ')}`)
  const space = size.map((extent, i) => {
    const [k, s, p] = [kernel![i]!, stride![i]!, padding![i]!]
    const positions = (extent + 2 * p - k) / s
    if (node.attrs.ceil_mode !== true) return Math.floor(positions) + 1
    const rounded = Math.ceil(positions) + 1
    // As in PyTorch, the last window must start inside the input or its left padding.
    return (rounded - 1) * s >= extent + p ? rounded - 1 : rounded
  })
  check(Math.min(...space) >= 1, () => `window ${kernel!.join(' x ')} is larger than the padded input ${size.join(' x ')}`)
  return { batch: first(node).batch, dims: [channels, ...space] }
}

export const globalPool: ShapeRule = (node) => ({ batch: first(node).batch, dims: [image(first(node))[0], 1, 1] })

export const upsample: ShapeRule = (node) => {
  const [channels] = image(first(node))
  return { batch: first(node).batch, dims: [channels, ...numbers(node, 'size')] }
}

export const pad: ShapeRule = (node) => {
  const [channels, height, width] = image(first(node))
  const [left, right, top, bottom] = ['left', 'right', 'top', 'bottom'].map((name) => number(node, name))
  return { batch: first(node).batch, dims: [channels, height + top! + bottom!, width + left! + right!] }
}

export const flatten: ShapeRule = (node) => ({ batch: first(node).batch, dims: [elements(first(node).dims)] })

export const reshape: ShapeRule = (node) => {
  const dims = numbers(node, 'dims')
  const shape = first(node)
  check(elements(dims) === elements(shape.dims), () => `${formatShape(shape)} cannot take the shape ${formatDims(dims)}`)
  return { batch: shape.batch, dims }
}

export const permute: ShapeRule = (node) => {
  const order = numbers(node, 'order')
  const shape = first(node)
  const isOrder = order.length === shape.dims.length && shape.dims.every((_, i) => order.includes(i))
  check(isOrder, () => `order ${formatDims(order)} does not name each dimension of ${formatShape(shape)} once`)
  return { batch: shape.batch, dims: order.map((i) => shape.dims[i]!) }
}

export const slice: ShapeRule = (node) => {
  const dim = dimension(node)
  const shape = first(node)
  const [start, end] = [number(node, 'start'), number(node, 'end')]
  const inside = 0 <= start && start < end && end <= shape.dims[dim]!
  check(inside, () => `slice ${start} to ${end} lies outside dimension ${dim} of ${formatShape(shape)}`)
  return { batch: shape.batch, dims: shape.dims.map((extent, i) => (i === dim ? end - start : extent)) }
}

export const windowPartition: ShapeRule = (node) => {
  const [count, channels] = tokens(first(node))
  const { windows, window, positions } = windowGrid(node)
  check(count === positions, () => `expected ${positions} tokens for the grid ${formatDims(numbers(node, 'grid'))}, got ${count}`)
  return { batch: first(node).batch * windows, dims: [window * window, channels] }
}

export const windowReverse: ShapeRule = (node) => {
  const [count, channels] = tokens(first(node))
  const { windows, window, positions } = windowGrid(node)
  const fits = count === window * window && first(node).batch % windows === 0
  check(fits, () => `expected ${windows} x [${window * window}, C], got ${formatShape(first(node))}`)
  return { batch: first(node).batch / windows, dims: [positions, channels] }
}

export const patchMerge: ShapeRule = (node) => {
  const [count, channels] = tokens(first(node))
  const [height, width] = numbers(node, 'grid') as [number, number]
  check(count === height * width, () => `expected ${height * width} tokens for the grid ${height} x ${width}, got ${count}`)
  check(height % 2 === 0 && width % 2 === 0, () => `the grid ${height} x ${width} is not even`)
  return { batch: first(node).batch, dims: [count / 4, 4 * channels] }
}

function windowGrid(node: NodeView): { windows: number; window: number; positions: number } {
  const [height, width] = numbers(node, 'grid') as [number, number]
  const window = number(node, 'window')
  const divides = height % window === 0 && width % window === 0
  check(divides, () => `windows of ${window} do not divide the grid ${height} x ${width}`)
  return { windows: (height * width) / (window * window), window, positions: height * width }
}

/** Attribute `dim`, within the dims of the first operand. */
function dimension(node: NodeView): number {
  const dim = number(node, 'dim')
  check(dim >= 0 && dim < first(node).dims.length, () => `dimension ${dim} does not exist in ${formatShape(first(node))}`)
  return dim
}
