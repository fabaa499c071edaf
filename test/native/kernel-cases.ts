/**
 * What the engine's own kernels compute for odd and even sizes: fused batch norm, depthwise convolution, gates and
 * matrix products, forward and backward. One image, so that the gradient of an added parameter is that of every single value.
 * @module
 */
import { GraphBuilder } from '../../lib/graph/builder.js'
import { FUSED_ACTIVATIONS } from '../../lib/graph/ops.js'
import type { Graph, Node } from '../../lib/graph/types.js'
import type { ComputeType } from '../../lib/native.js'
import { loadValues, makeNetwork, noise, numbers, tensor } from './network-runner.js'

export type Results = Readonly<Record<string, readonly number[]>>

/** A graph with values for its entries. */
export interface KernelCase {
  readonly graph: Graph
  readonly values: Readonly<Record<string, readonly number[]>>
  readonly input: readonly [number, number, number]
}

class CaseBuilder {
  readonly #builder = new GraphBuilder('case')
  readonly #input: Node
  readonly values: Record<string, readonly number[]> = {}

  constructor(readonly dims: readonly [number, number, number]) {
    this.#input = this.#builder.add({ op: 'input', inputs: [], attrs: { dims }, path: 'input' })
  }

  entry(name: string, shape: readonly number[], values: readonly number[], kind: 'parameter' | 'buffer' = 'parameter', dtype: 'float' | 'int64' = 'float'): string {
    this.#builder.declare({ name, shape, kind, dtype, init: { kind: 'constant', value: 0 } })
    this.values[name] = values
    return name
  }

  /** A value of its own for every element; the images are zero. */
  operand(name: string): Node {
    // Multiples of 1/64 are the same numbers in bfloat16.
    const weight = this.entry(name, [1, ...this.dims], noise(name, size(this.dims)).map((value) => Math.round(value * 96) / 64))
    return this.#builder.add({ op: 'add_parameter', inputs: [this.#input], params: { weight }, path: name })
  }

  add(op: string, inputs: readonly Node[], attrs: Parameters<GraphBuilder['add']>[0]['attrs'], params: Readonly<Record<string, string>>): Node {
    return this.#builder.add({ op, inputs, attrs, params, path: op })
  }

  finish(output: Node): KernelCase {
    return { graph: this.#builder.finish({ output }), values: this.values, input: this.dims }
  }
}

const around = (name: string, channels: number, centre: number) => noise(name, channels).map((value) => centre + 0.5 * value)

/** act(batch_norm(x) + shortcut). */
export function batchNormCase(dims: readonly [number, number, number], activation: (typeof FUSED_ACTIVATIONS)[number], shortcut: boolean): KernelCase {
  const builder = new CaseBuilder(dims)
  const [channels] = dims
  const inputs = [builder.operand('x'), ...(shortcut ? [builder.operand('shortcut')] : [])]
  const params = {
    weight: builder.entry('weight', [channels], around('weight', channels, 1)),
    bias: builder.entry('bias', [channels], around('bias', channels, 0)),
    running_mean: builder.entry('mean', [channels], Array(channels).fill(0), 'buffer'),
    running_var: builder.entry('var', [channels], Array(channels).fill(1), 'buffer'),
    num_batches_tracked: builder.entry('batches', [], [0], 'buffer', 'int64'),
  }
  const slope = activation === 'prelu' ? { slope: builder.entry('slope', [channels], around('slope', channels, 0.25)) } : undefined
  return builder.finish(builder.add('batch_norm_act', inputs, { activation }, { ...params, ...slope }))
}

/** A depthwise convolution; `dense` writes it with zeros between the channels, which libtorch's kernels compute. */
export function depthwiseCase(dims: readonly [number, number, number], kernel: number, stride: number, padding: number, dense = false): KernelCase {
  const builder = new CaseBuilder(dims)
  const [channels] = dims
  const taps = kernel * kernel
  const filters = noise('filters', channels * taps).map((value) => Math.round(value * 64) / 64)
  const spread = () => Array.from({ length: channels * channels * taps }, (_, i) => (Math.floor(i / taps) % (channels + 1) === 0 ? filters[Math.floor(i / taps / channels) * taps + (i % taps)]! : 0))
  const weight = builder.entry('weight', [channels, dense ? channels : 1, kernel, kernel], dense ? spread() : filters)
  const attrs = { stride: [stride, stride], padding: [padding, padding], groups: dense ? 1 : channels }
  return builder.finish(builder.add('conv2d', [builder.operand('x')], attrs, { weight }))
}

/** x times a gate a channel, the mean of another image over its pixels. */
export function gateCase(dims: readonly [number, number, number]): KernelCase {
  const builder = new CaseBuilder(dims)
  const x = builder.operand('x')
  const gate = builder.add('global_avg_pool', [builder.operand('source')], {}, {})
  return builder.finish(builder.add('mul', [x, gate], {}, {}))
}

/** Rows of values, as many as x has channels, times a matrix. */
export function productCase(dims: readonly [number, number, number], outputs: number): KernelCase {
  const builder = new CaseBuilder(dims)
  const [rows, height, width] = dims
  const x = builder.add('reshape', [builder.operand('x')], { dims: [rows, height * width] }, {})
  const weight = builder.entry('weight', [outputs, height * width], noise('weight', outputs * height * width))
  const bias = builder.entry('bias', [outputs], noise('bias', outputs))
  return builder.finish(builder.add('linear', [x], {}, { weight, bias }))
}

/** Rows, terms and columns that fill tiles of the product and that do not, with one block and with several. */
export const PRODUCT_SIZES: readonly (readonly [dims: readonly [number, number, number], outputs: number])[] = [
  [[16, 4, 4], 16],
  [[28, 8, 32], 64],
  [[31, 20, 15], 33],
  [[250, 7, 11], 70],
  [[3, 5, 5], 20],
]

const size = (dims: readonly number[]) => dims.reduce((product, extent) => product * extent, 1)
const resultDims = ({ graph }: KernelCase) => graph.nodes[graph.outputs['output']!]!.shape.dims

/** d loss / d result that {@link compute} sends back. */
export const gradOf = (each: KernelCase): readonly number[] => noise('grad', size(resultDims(each))).map((value) => Math.round(value * 64) / 64)

/** The result, and the gradients of every entry. */
export function compute(each: KernelCase, type: ComputeType): Results {
  const { graph, values, input } = each
  const network = makeNetwork(graph, { master: 'float32', compute: type })
  loadValues(network, graph, values)
  const images = tensor('images', 'float64', [1, ...input], Array(size(input)).fill(0))
  const { output, grads } = network.forwardBackward(images, 'output', tensor('grad', 'float64', [1, ...resultDims(each)], gradOf(each)))
  network.dispose()
  return Object.fromEntries([['output', numbers(output)], ...grads.map((each) => [each.name, numbers(each)])])
}

/** Channels that fill vectors and that do not, with rows left over when they are joined. */
export const ODD_SIZES: readonly (readonly [number, number, number])[] = [
  [3, 15, 21],
  [16, 12, 11],
  [27, 15, 21],
  [40, 9, 13],
  [300, 5, 7],
]

/** Results of every case by type and name. */
export function computeAll(): Record<string, Results> {
  const cases: Record<string, KernelCase> = {}
  for (const dims of ODD_SIZES) {
    for (const [i, activation] of FUSED_ACTIVATIONS.entries()) cases[`${dims.join(' x ')} batch norm, ${activation}`] = batchNormCase(dims, activation, i % 2 === 0)
  }
  for (const dims of ODD_SIZES) cases[`${dims.join(' x ')} gate`] = gateCase(dims)
  for (const [dims, outputs] of PRODUCT_SIZES) cases[`${dims.join(' x ')} to ${outputs} product`] = productCase(dims, outputs)
  for (const kernel of [3, 5]) {
    for (const stride of [1, 2]) cases[`depthwise ${kernel} x ${kernel}, stride ${stride}`] = depthwiseCase([19, 9, 12], kernel, stride, (kernel - 1) / 2)
  }
  const results = (type: ComputeType) => Object.entries(cases).map(([name, each]) => [`${type}, ${name}`, compute(each, type)] as const)
  return Object.fromEntries([...results('float32'), ...results('bfloat16')])
}
