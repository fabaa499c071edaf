/**
 * How each op of the table becomes ONNX operators. Values are `[batch * N, ...dims]` as in the graph; reshapes name all
 * dims and leave the batch to be inferred.
 * @module
 */
import type { Shape } from '../../graph/types.js'
import type { EmitContext } from './emit-context.js'
import { emitAttention, emitPatchMerge, emitWindowPartition, emitWindowReverse } from './emit-windows.js'
import type { OnnxAttribute } from './onnx-model.js'

type Emitter = (context: EmitContext) => string

const numbers = ({ node }: EmitContext, name: string) => node.attrs[name] as readonly number[]
const number = ({ node }: EmitContext, name: string) => node.attrs[name] as number
const int = (value: number): OnnxAttribute => ({ int: value })
const ints = (values: readonly number[]): OnnxAttribute => ({ ints: values })

/** One operator over the operands. */
const same =
  (op: string, attributes: Readonly<Record<string, OnnxAttribute>> = {}): Emitter =>
  ({ model, inputs }) =>
    model.node(op, inputs, attributes)

const identity: Emitter = ({ inputs }) => inputs[0]!

const reshape: Emitter = ({ model, node, inputs }) => model.node('Reshape', [inputs[0]!, model.integers([-1, ...node.shape.dims])])

const conv2d: Emitter = (context) => {
  const { model, node, inputs } = context
  const [height, width] = numbers(context, 'padding') as [number, number]
  const bias = node.params.bias === undefined ? [] : [context.parameter('bias')]
  return model.node('Conv', [inputs[0]!, context.parameter('weight'), ...bias], {
    kernel_shape: ints(context.content('weight')!.shape.slice(2)),
    strides: ints(numbers(context, 'stride')),
    pads: ints([height, width, height, width]),
    dilations: ints(numbers(context, 'dilation')),
    group: int(number(context, 'groups')),
  })
}

const linear: Emitter = (context) => {
  const { model, node, inputs, shapes } = context
  const bias = node.params.bias === undefined ? [] : [context.parameter('bias')]
  if (shapes[0]!.dims.length === 1) return model.node('Gemm', [inputs[0]!, context.parameter('weight'), ...bias], { transB: int(1) })
  const turned = model.node('Transpose', [context.parameter('weight')], { perm: ints([1, 0]) })
  const product = model.node('MatMul', [inputs[0]!, turned])
  return bias.length === 0 ? product : model.node('Add', [product, ...bias])
}

const batchNorm: Emitter = (context) => {
  const { model, node, inputs } = context
  const channels = context.content('running_mean')!.shape[0]!
  const constant = (role: string, value: number) =>
    node.params[role] === undefined ? model.floats(`const ${channels} x ${value}`, [channels], new Float32Array(channels).fill(value)) : context.parameter(role)
  const statistics = [context.parameter('running_mean'), context.parameter('running_var')]
  return model.node('BatchNormalization', [inputs[0]!, constant('weight', 1), constant('bias', 0), ...statistics], { epsilon: { float: number(context, 'eps') } })
}

const layerNorm: Emitter = (context) =>
  context.model.node('LayerNormalization', [context.inputs[0]!, context.parameter('weight'), context.parameter('bias')], { axis: int(-1), epsilon: { float: number(context, 'eps') } })

/** The slopes belong to the first dimension after the batch. */
const prelu: Emitter = (context) => {
  const slopes = context.content('weight')!.shape[0]!
  return context.model.node('PRelu', [context.inputs[0]!, context.parameter('weight', [slopes, ...context.shapes[0]!.dims.slice(1).map(() => 1)])])
}

const silu: Emitter = ({ model, inputs }) => model.node('Mul', [inputs[0]!, model.node('Sigmoid', [inputs[0]!])])

const gelu: Emitter = ({ model, inputs }) => {
  const erf = model.node('Erf', [model.node('Mul', [inputs[0]!, model.scalar(Math.SQRT1_2)])])
  const half = model.node('Mul', [inputs[0]!, model.scalar(0.5)])
  return model.node('Mul', [half, model.node('Add', [erf, model.scalar(1)])])
}

const scaleShift: Emitter = (context) => {
  const { model, inputs } = context
  return model.node('Add', [model.node('Mul', [inputs[0]!, model.scalar(number(context, 'scale'))]), model.scalar(number(context, 'shift'))])
}

const l2Normalize: Emitter = (context) => {
  const { model, inputs } = context
  const norm = model.node('ReduceL2', [inputs[0]!, model.integers([-1])], { keepdims: int(1) })
  return model.node('Div', [inputs[0]!, model.node('Max', [norm, model.scalar(number(context, 'eps'))])])
}

const addChannels: Emitter = ({ model, inputs, shapes }) => {
  const [a, b] = shapes as [Shape, Shape]
  const missing = a.dims[0]! - b.dims[0]!
  const padded = missing === 0 ? inputs[1]! : model.node('Pad', [inputs[1]!, model.integers([0, 0, 0, 0, 0, missing, 0, 0])])
  return model.node('Add', [inputs[0]!, padded])
}

/**
 * Windows, with the padding at the end that gives the size of the graph: rounding up is said by padding, on whose
 * details programs disagree. Neither maximum nor a mean without padding sees it; a mean with padding would.
 */
const pool =
  (op: 'MaxPool' | 'AveragePool'): Emitter =>
  (context) => {
    const { model, node, inputs, shapes } = context
    const [kernel, stride, padding] = ['kernel', 'stride', 'padding'].map((name) => numbers(context, name)) as [readonly number[], readonly number[], readonly number[]]
    const ends = [0, 1].map((i) => {
      const reach = (node.shape.dims[i + 1]! - 1) * stride[i]! + kernel[i]! - shapes[0]!.dims[i + 1]! - padding[i]!
      return node.attrs.ceil_mode === true ? Math.max(reach, 0) : padding[i]!
    })
    const attributes = { kernel_shape: ints(kernel), strides: ints(stride), pads: ints([...padding, ...ends]) }
    const count: Record<string, OnnxAttribute> = op === 'AveragePool' ? { count_include_pad: int(node.attrs.count_include_pad === true ? 1 : 0) } : {}
    return model.node(op, inputs, { ...attributes, ...count })
  }

const upsample: Emitter = (context) => {
  const { model, node, inputs } = context
  const bilinear = node.attrs.mode === 'bilinear'
  const coordinates = !bilinear ? 'asymmetric' : node.attrs.align_corners === true ? 'align_corners' : 'half_pixel'
  return model.node('Resize', [inputs[0]!, '', '', model.integers(numbers(context, 'size'))], {
    mode: { text: bilinear ? 'linear' : 'nearest' },
    coordinate_transformation_mode: { text: coordinates },
    nearest_mode: { text: 'floor' },
    axes: ints([2, 3]),
  })
}

const pad: Emitter = (context) => {
  const [left, right, top, bottom] = ['left', 'right', 'top', 'bottom'].map((name) => number(context, name)) as [number, number, number, number]
  return context.model.node('Pad', [context.inputs[0]!, context.model.integers([0, 0, top, left, 0, 0, bottom, right])])
}

const slice: Emitter = (context) => {
  const { model, inputs } = context
  const [start, end, axis] = [number(context, 'start'), number(context, 'end'), number(context, 'dim') + 1]
  return model.node('Slice', [inputs[0]!, model.integers([start]), model.integers([end]), model.integers([axis])])
}

/** By name of the op. */
export const EMITTERS: Readonly<Record<string, Emitter>> = {
  conv2d,
  linear,
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  prelu,
  add_parameter: (context) => context.model.node('Add', [context.inputs[0]!, context.parameter('weight')]),
  attention: emitAttention,
  relu: same('Relu'),
  relu6: ({ model, inputs }) => model.node('Clip', [inputs[0]!, model.scalar(0), model.scalar(6)]),
  sigmoid: same('Sigmoid'),
  silu,
  hard_sigmoid: same('HardSigmoid', { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  hard_swish: same('HardSwish'),
  gelu,
  scale_shift: scaleShift,
  softmax: (context) => context.model.node('Softmax', context.inputs, { axis: int(number(context, 'dim') + 1) }),
  l2_normalize: l2Normalize,
  add: same('Add'),
  add_channels: addChannels,
  mul: same('Mul'),
  maximum: same('Max'),
  concat: (context) => context.model.node('Concat', context.inputs, { axis: int(number(context, 'dim') + 1) }),
  max_pool2d: pool('MaxPool'),
  avg_pool2d: pool('AveragePool'),
  global_avg_pool: same('GlobalAveragePool'),
  upsample,
  pad,
  dropout: identity,
  drop_path: identity,
  flatten: reshape,
  reshape,
  permute: (context) => context.model.node('Transpose', context.inputs, { perm: ints([0, ...numbers(context, 'order').map((dim) => dim + 1)]) }),
  slice,
  window_partition: emitWindowPartition,
  window_reverse: emitWindowReverse,
  patch_merge: emitPatchMerge,
}
