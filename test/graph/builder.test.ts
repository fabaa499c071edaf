import t from 'tap'

import { FacexError } from '../../lib/errors.js'
import { GraphBuilder } from '../../lib/graph/builder.js'
import { ops } from '../../lib/graph/ops.js'
import { printGraph } from '../../lib/graph/print.js'
import type { StateEntry } from '../../lib/graph/types.js'

const weight = (name: string, shape: number[]): StateEntry => ({ name, shape, kind: 'parameter', dtype: 'float', init: { kind: 'constant', value: 0 } })

/** A builder with an input and one convolution weight. */
function start(input: number[], weightShape: number[]) {
  const builder = new GraphBuilder('net')
  builder.declare(weight('conv.weight', weightShape))
  const image = builder.add({ op: 'input', inputs: [], attrs: { dims: input }, path: 'input' })
  const conv = (attrs = {}) => builder.add({ op: 'conv2d', inputs: [image], params: { weight: 'conv.weight' }, attrs, path: 'layer3.0.conv1' })
  return { builder, image, conv }
}

t.test('a shape mistake names the layer and both shapes', (t) => {
  const { conv } = start([128, 14, 14], [256, 256, 3, 3])
  t.throws(conv, new FacexError('ERR_GRAPH', 'layer3.0.conv1: expected 256 channels, got 128 (input [128, 14, 14], weight [256, 256, 3, 3])'))
  t.end()
})

t.test('a kernel larger than its padded input is a mistake', (t) => {
  const { conv } = start([3, 2, 9], [8, 3, 3, 3])
  t.throws(conv, { code: 'ERR_GRAPH', message: /layer3\.0\.conv1: kernel 3 x 3 is larger than the padded input 2 x 9/ })
  t.end()
})

t.test('attributes are checked by name and type, and defaults are filled in', (t) => {
  const { conv } = start([3, 112, 112], [8, 3, 3, 3])
  t.throws(() => conv({ strid: [2, 2] }), { message: /unknown attribute of conv2d "strid", did you mean "stride"/ })
  t.throws(() => conv({ stride: 2 }), { message: /conv2d\.stride: expected two whole numbers from 1, received "?2/ })
  t.throws(() => conv({ stride: [0, 2] }), { message: /conv2d\.stride: expected two whole numbers from 1, received \[0,2\]/ })
  t.throws(() => conv({ padding: [-1, 0] }), { message: /conv2d\.padding: expected two whole numbers from 0/ })
  t.throws(() => conv({ groups: 0 }), { message: /conv2d\.groups: expected a whole number from 1, received 0/ })
  t.same(conv({ stride: [2, 2], padding: [1, 1] }).attrs, { stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 })
  t.end()
})

t.test('unknown ops, missing operands, parameters and entries are mistakes', (t) => {
  const { builder, image } = start([3, 8, 8], [8, 3, 3, 3])
  const add = (op: string, inputs = [image], params = {}) => builder.add({ op, inputs, params, path: 'here' })
  t.throws(() => add('con2d'), { message: /here: unknown op "con2d", did you mean "conv2d"/ })
  t.throws(() => add('add'), { message: /here: add takes 2 operands, got 1/ })
  t.throws(() => add('conv2d'), { message: /here: conv2d needs the parameter weight/ })
  t.throws(() => add('relu', [image], { weight: 'conv.weight' }), { message: /here: relu has no parameter weight/ })
  t.throws(() => add('conv2d', [image], { weight: 'nothing' }), { message: /here: conv2d\.weight: no entry nothing was declared/ })
  t.throws(() => builder.declare(weight('conv.weight', [1])), { message: /conv\.weight: two entries of the state dict have this name/ })
  t.throws(() => builder.declare(weight('fc.weight', [8, 0])), { message: /fc\.weight: expected a shape of whole numbers from 1, got \[8, 0\]/ })
  t.throws(() => builder.add({ op: 'dropout', inputs: [image], attrs: { p: 1 }, path: 'drop' }), { message: /drop: dropout\.p: expected a number from 0 and below 1, received 1/ })
  t.end()
})

t.test('shapes follow the rules of PyTorch', (t) => {
  const { builder } = start([4, 60, 112], [8, 3, 3, 3])
  const image = builder.add({ op: 'input', inputs: [], attrs: { dims: [4, 15, 7] }, path: '' })
  const dims = (op: string, attrs = {}, inputs = [image]) => builder.add({ op, inputs, attrs, path: op }).shape.dims
  const pool = { kernel: [2, 2], stride: [2, 2] }
  t.same(dims('max_pool2d', pool), [4, 7, 3])
  t.same(dims('max_pool2d', { ...pool, ceil_mode: true }), [4, 8, 4])
  t.same(dims('avg_pool2d', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }), [4, 8, 4])
  t.same(dims('avg_pool2d', { kernel: [1, 1], stride: [2, 2], ceil_mode: true }), [4, 8, 4])
  t.same(dims('flatten'), [420])
  t.same(dims('permute', { order: [2, 0, 1] }), [7, 4, 15])
  t.same(dims('reshape', { dims: [4, 105] }), [4, 105])
  t.same(dims('slice', { start: 1, end: 3 }), [2, 15, 7])
  t.same(dims('concat', { dim: 2 }, [image, image]), [4, 15, 14])
  t.same(dims('pad', { left: 1, right: 2, top: 3, bottom: 4 }), [4, 22, 10])
  t.same(dims('upsample', { size: [30, 14], mode: 'nearest' }), [4, 30, 14])
  t.throws(() => dims('reshape', { dims: [4, 104] }), { message: /cannot take the shape/ })
  t.throws(() => dims('upsample', { size: [30, 14], mode: 'cubic' }), { message: /expected one of nearest, bilinear/ })
  t.end()
})

t.test('windows multiply the batch and come back', (t) => {
  const builder = new GraphBuilder('net')
  const image = builder.add({ op: 'input', inputs: [], attrs: { dims: [56 * 56, 96] }, path: '' })
  const layout = { grid: [56, 56], window: 7, shift: 3 }
  const windows = builder.add({ op: 'window_partition', inputs: [image], attrs: layout, path: '' })
  t.same(windows.shape, { batch: 64, dims: [49, 96] })
  t.same(builder.add({ op: 'window_reverse', inputs: [windows], attrs: layout, path: '' }).shape, image.shape)
  t.end()
})

t.test('a graph prints one node a line', (t) => {
  const { builder, conv } = start([3, 8, 8], [8, 3, 3, 3])
  const text = printGraph(builder.finish({ embedding: conv() }))
  t.match(text, '%1 = conv2d(%0) {stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1} weight=conv.weight -> [8, 6, 6]  # layer3.0.conv1')
  t.match(text, 'output embedding = %1')
  t.end()
})

t.test('every op of the table has a summary and its own name', (t) => {
  t.equal(new Set(ops.map((op) => op.name)).size, ops.length)
  t.ok(ops.every((op) => op.summary.endsWith('.')))
  t.end()
})
