/**
 * One small graph, or several, for every op of the table: what the gradient check runs through.
 *
 * Values keep away from kinks (relu at 0, ties of a maximum), where finite differences mean nothing.
 * @module
 */
import type { Node } from '../../lib/graph/types.js'
import { noise } from './network-runner.js'
import type { SmallGraph } from './network-runner.js'

export type OpCase = (graph: SmallGraph) => Node

/** Values at distance 0.1 or more from multiples of 3, where relu, relu6 and the hard functions bend. */
const apart = (name: string, count: number, scale: number): number[] =>
  noise(name, count).map((value) => {
    const x = value * scale
    const kink = Math.round(x / 3) * 3
    return Math.abs(x - kink) < 0.1 ? kink + 0.15 : x
  })

const image = [4, 5, 3] as const
const elementwise =
  (op: string): OpCase =>
  (graph) =>
    graph.add(op, [graph.operand('x', image, apart('x', 60, 7), 0)])

const pool = (op: string, attrs: Record<string, number | boolean | number[]>): OpCase => (graph) =>
  graph.add(op, [graph.operand('x', [2, 7, 6])], attrs)

const normAct =
  (activation: string, shortcut: boolean): OpCase =>
  (graph) => {
    const inputs = [graph.operand('x', [3, 4, 4]), ...(shortcut ? [graph.operand('shortcut', [3, 4, 4])] : [])]
    const slope: Record<string, string> = activation === 'prelu' ? { slope: graph.entry('slope', [3], [0.3, -0.2, 0.1]) } : {}
    return graph.add('batch_norm_act', inputs, { activation }, { ...graph.batchNorm('bn', 3), ...slope })
  }

const convolutionAct =
  (activation: string, shortcut: boolean, groups = 1): OpCase =>
  (graph) => {
    const inputs = [graph.operand('x', [4, 5, 6]), ...(shortcut ? [graph.operand('shortcut', [4, 5, 6])] : [])]
    const slope: Record<string, string> = activation === 'prelu' ? { slope: graph.entry('slope', [4], [0.3, -0.2, 0.1, 0.4]) } : {}
    const params = { weight: graph.entry('w', [4, 4 / groups, 3, 3], noise('w', 144 / groups)), bias: graph.entry('b', [4], noise('b', 4)), ...slope }
    return graph.add('conv2d_act', inputs, { padding: [1, 1], groups, activation }, params)
  }

const windows = { grid: [4, 6], window: 2, shift: 1 }

/** By op; a name after a colon tells cases of one op apart. */
export const OP_CASES: Readonly<Record<string, OpCase>> = {
  'conv2d:padded, strided': (graph) =>
    graph.add(
      'conv2d',
      [graph.operand('x', [3, 6, 5])],
      { stride: [2, 1], padding: [1, 0] },
      { weight: graph.entry('w', [4, 3, 3, 2], noise('w', 72)), bias: graph.entry('b', [4], noise('b', 4)) },
    ),
  'conv2d:depthwise, dilated': (graph) =>
    graph.add('conv2d', [graph.operand('x', [4, 6, 6])], { padding: [2, 2], dilation: [2, 2], groups: 4 }, { weight: graph.entry('w', [4, 1, 3, 3], noise('w', 36)) }),
  'conv2d:depthwise 3 x 3': (graph) =>
    graph.add('conv2d', [graph.operand('x', [4, 6, 6])], { padding: [1, 1], groups: 4 }, { weight: graph.entry('w', [4, 1, 3, 3], noise('w', 36)) }),
  'conv2d:depthwise 3 x 3, stride 2': (graph) =>
    graph.add('conv2d', [graph.operand('x', [4, 7, 6])], { stride: [2, 2], padding: [1, 1], groups: 4 }, { weight: graph.entry('w', [4, 1, 3, 3], noise('w', 36)) }),
  ...Object.fromEntries(
    ['none', 'prelu', 'relu6', 'silu'].flatMap((activation) => [
      [`conv2d_act:${activation}`, convolutionAct(activation, false)],
      [`conv2d_act:${activation} after a shortcut`, convolutionAct(activation, true)],
      [`conv2d_act:${activation}, depthwise`, convolutionAct(activation, activation === 'silu', 4)],
    ]),
  ),
  linear: (graph) =>
    graph.add('linear', [graph.operand('x', [6])], {}, { weight: graph.entry('w', [3, 6], noise('w', 18)), bias: graph.entry('b', [3], noise('b', 3)) }),
  'linear:tokens': (graph) => graph.add('linear', [graph.operand('x', [5, 6])], {}, { weight: graph.entry('w', [3, 6], noise('w', 18)) }),
  batch_norm: (graph) => graph.add('batch_norm', [graph.operand('x', [3, 4, 4])], { eps: 1e-3 }, graph.batchNorm('bn', 3)),
  'batch_norm:vectors': (graph) => graph.add('batch_norm', [graph.operand('x', [5])], {}, graph.batchNorm('bn', 5)),
  'batch_norm:weight frozen': (graph) => graph.add('batch_norm', [graph.operand('x', [3, 4, 4])], {}, graph.batchNorm('bn', 3, { kind: 'buffer' })),
  ...Object.fromEntries(
    ['none', 'prelu', 'relu', 'relu6', 'sigmoid', 'silu', 'hard_swish'].flatMap((activation) => [
      [`batch_norm_act:${activation}`, normAct(activation, false)],
      [`batch_norm_act:${activation} after a shortcut`, normAct(activation, true)],
    ]),
  ),
  layer_norm: (graph) =>
    graph.add('layer_norm', [graph.operand('x', [4, 6])], {}, { weight: graph.entry('w', [6], noise('w', 6)), bias: graph.entry('b', [6], noise('b', 6)) }),
  'prelu:a slope a channel': (graph) => graph.add('prelu', [graph.operand('x', image, apart('x', 60, 7), 0)], {}, { weight: graph.entry('w', [4], [0.25, -0.1, 0.5, 0]) }),
  'prelu:one slope': (graph) => graph.add('prelu', [graph.operand('x', image, apart('x', 60, 7), 0)], {}, { weight: graph.entry('w', [1], [0.25]) }),
  'prelu:vectors': (graph) => graph.add('prelu', [graph.operand('x', [6], apart('x', 6, 7), 0)], {}, { weight: graph.entry('w', [6], noise('w', 6)) }),
  add_parameter: (graph) => graph.add('add_parameter', [graph.operand('x', [4, 3])], {}, { weight: graph.entry('w', [1, 4, 3], noise('w', 12)) }),
  attention: (graph) => graph.add('attention', [graph.operand('x', [4, 18])], { heads: 2, scale: 0.6 }),
  'attention:biased, masked windows': (graph) => {
    const x = graph.add('window_partition', [graph.operand('x', [8, 12])], { grid: [2, 4], window: 2, shift: 0 })
    const mask = noise('mask', 32).map((value) => (value > 0.6 ? -100 : 0))
    return graph.add('attention', [x], { heads: 2, scale: 0.5 }, {
      bias_table: graph.entry('table', [9, 2], noise('table', 18)),
      index: graph.entry('index', [4, 4], Array.from({ length: 16 }, (_, i) => (i * 5) % 9), { kind: 'buffer', dtype: 'int64' }),
      mask: graph.entry('mask', [2, 4, 4], mask, { kind: 'buffer' }),
    })
  },
  relu: elementwise('relu'),
  relu6: elementwise('relu6'),
  sigmoid: elementwise('sigmoid'),
  silu: elementwise('silu'),
  hard_sigmoid: elementwise('hard_sigmoid'),
  hard_swish: elementwise('hard_swish'),
  gelu: elementwise('gelu'),
  scale_shift: (graph) => graph.add('scale_shift', [graph.operand('x', image)], { scale: 2.5, shift: -1 }),
  'scale_shift:shift alone': (graph) => graph.add('scale_shift', [graph.operand('x', image)], { shift: 0.5 }),
  softmax: (graph) => graph.add('softmax', [graph.operand('x', image)], { dim: 1 }),
  l2_normalize: (graph) => graph.add('l2_normalize', [graph.operand('x', [6])]),
  add: (graph) => graph.add('add', [graph.operand('a', image), graph.operand('b', image)]),
  'add:an operand with itself': (graph) => {
    const a = graph.operand('a', image)
    return graph.add('add', [graph.add('sigmoid', [a]), graph.add('add', [a, a])])
  },
  add_channels: (graph) => graph.add('add_channels', [graph.operand('a', image), graph.operand('b', [2, 5, 3])]),
  mul: (graph) => graph.add('mul', [graph.operand('a', image), graph.operand('b', image)]),
  'mul:a gate': (graph) => graph.add('mul', [graph.operand('a', image), graph.operand('gate', [4, 1, 1])]),
  maximum: (graph) => graph.add('maximum', [graph.operand('a', image), graph.operand('b', image)]),
  'concat:channels': (graph) => graph.add('concat', [graph.operand('a', image), graph.operand('b', [2, 5, 3]), graph.operand('c', image)]),
  'concat:tokens': (graph) => graph.add('concat', [graph.operand('a', [2, 6]), graph.operand('b', [3, 6])]),
  'max_pool2d:overlapping': pool('max_pool2d', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
  'max_pool2d:rounded up': pool('max_pool2d', { kernel: [2, 2], stride: [2, 2], ceil_mode: true }),
  'max_pool2d:stride alone': pool('max_pool2d', { kernel: [1, 1], stride: [2, 2] }),
  'avg_pool2d:with the padding': pool('avg_pool2d', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
  'avg_pool2d:without the padding, rounded up': pool('avg_pool2d', { kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceil_mode: true, count_include_pad: false }),
  global_avg_pool: (graph) => graph.add('global_avg_pool', [graph.operand('x', image)]),
  'upsample:nearest': (graph) => graph.add('upsample', [graph.operand('x', [2, 3, 4])], { size: [7, 8], mode: 'nearest' }),
  'upsample:bilinear': (graph) => graph.add('upsample', [graph.operand('x', [2, 3, 4])], { size: [7, 8], mode: 'bilinear' }),
  'upsample:bilinear, aligned corners': (graph) => graph.add('upsample', [graph.operand('x', [2, 3, 4])], { size: [7, 8], mode: 'bilinear', align_corners: true }),
  pad: (graph) => graph.add('pad', [graph.operand('x', image)], { left: 1, right: 2, top: 0, bottom: 3 }),
  dropout: (graph) => graph.add('dropout', [graph.operand('x', image)], { p: 0.4 }),
  drop_path: (graph) => graph.add('drop_path', [graph.operand('x', image)], { p: 0.4 }),
  flatten: (graph) => graph.add('flatten', [graph.operand('x', image)]),
  reshape: (graph) => graph.add('reshape', [graph.operand('x', image)], { dims: [6, 10] }),
  permute: (graph) => graph.add('permute', [graph.operand('x', image)], { order: [2, 0, 1] }),
  'permute:image to tokens': (graph) => graph.add('permute', [graph.add('reshape', [graph.operand('x', image)], { dims: [4, 15] })], { order: [1, 0] }),
  'slice:channels': (graph) => graph.add('slice', [graph.operand('x', image)], { start: 1, end: 3 }),
  'slice:columns': (graph) => graph.add('slice', [graph.operand('x', image)], { dim: 2, start: 0, end: 2 }),
  window_partition: (graph) => graph.add('window_partition', [graph.operand('x', [24, 3])], windows),
  window_reverse: (graph) => graph.add('window_reverse', [graph.add('window_partition', [graph.operand('x', [24, 3])], { ...windows, shift: 0 })], windows),
  patch_merge: (graph) => graph.add('patch_merge', [graph.operand('x', [24, 3])], { grid: [4, 6] }),
}
