/**
 * The op table: every operation a graph may hold. `native/engine/` executes the same table and a test compares the two.
 *
 * Conventions
 * - A value is the tensor `[batch * N, ...dims]` of {@link Shape}; dims are `[C, H, W]` for images, `[T, C]` for token
 *   sequences and `[C]` for vectors. Attributes that name a dimension count within `dims`: 0 is the channel of an image.
 * - A node carries every attribute of its row (the builder fills in defaults), so the engine needs no defaults.
 * - `params` name state entries by role, in the order of the row; a role that ends in `?` may be absent. An entry of
 *   kind `buffer` never receives a gradient, whatever its role (a frozen batch norm weight, for example).
 * - Pairs are `[height, width]`.
 * @module
 */
import type { Attribute } from './types.js'
import * as rule from './shape.js'
import type { ShapeRule } from './shape.js'
import * as macs from './macs.js'
import type { MacsRule } from './macs.js'

/** One attribute: its type and, where one is customary, its default and its range. */
export interface AttributeSpec {
  readonly type: 'integer' | 'number' | 'boolean' | 'pair' | 'integers' | readonly string[]
  readonly default?: Attribute
  /** The smallest that a number, or each of several, may be. */
  readonly min?: number
  /** What a number stays below. */
  readonly below?: number
}

/** One row of the table. */
export interface Op {
  readonly name: string
  /** What it computes, in one line. */
  readonly summary: string
  readonly minInputs: number
  readonly maxInputs: number
  readonly params: readonly string[]
  readonly attrs: Readonly<Record<string, AttributeSpec>>
  readonly shape: ShapeRule
  /** Values that backward needs besides parameters: the operands, the result, or none. */
  readonly keeps: 'inputs' | 'output' | 'nothing'
  /** One pass over the operands gives the value: backward may rather compute it again than find it kept (recompute.ts). */
  readonly light?: boolean
  /** Multiply-adds of one image; absent means none are counted. */
  readonly macs?: MacsRule
}

const integer: AttributeSpec = { type: 'integer' }
const count: AttributeSpec = { type: 'integer', min: 1 }
const integers: AttributeSpec = { type: 'integers' }
const extents: AttributeSpec = { type: 'integers', min: 1 }
const number: AttributeSpec = { type: 'number' }
const probability: AttributeSpec = { type: 'number', min: 0, below: 1 }
/** [height, width] of something that exists. */
const pair: AttributeSpec = { type: 'pair', min: 1 }
const padding: AttributeSpec = { type: 'pair', default: [0, 0], min: 0 }
/** Rows or columns of padding on one side. */
const margin: AttributeSpec = { type: 'integer', min: 0 }
const withDefault = (spec: AttributeSpec, value: Attribute): AttributeSpec => ({ ...spec, default: value })
const flag = (value: boolean): AttributeSpec => ({ type: 'boolean', default: value })

type OpShape = Pick<Op, 'name' | 'summary' | 'shape'> & Partial<Op>

/** A row with one operand and no parameters or attributes, of which backward keeps nothing, unless it says otherwise. */
function op(row: OpShape): Op {
  const minInputs = row.minInputs ?? 1
  return { minInputs, maxInputs: row.maxInputs ?? minInputs, params: [], attrs: {}, keeps: 'nothing', ...row }
}

/** Activations that batch_norm_act knows. */
export const FUSED_ACTIVATIONS = ['none', 'prelu', 'relu', 'relu6', 'sigmoid', 'silu', 'hard_swish'] as const

const convolution = {
  stride: withDefault(pair, [1, 1]),
  padding,
  dilation: withDefault(pair, [1, 1]),
  groups: withDefault(count, 1),
} as const

/** The table, in the order in which `native/engine` lists it too. */
export const ops: readonly Op[] = [
  op({
    name: 'input',
    summary: 'The images, float [N, C, H, W] after pixel normalisation.',
    minInputs: 0,
    attrs: { dims: extents },
    shape: rule.input,
  }),

  // --- layers with weights
  op({
    name: 'conv2d',
    summary: 'Cross-correlation, zero padding on both sides; weight [O, C / groups, kh, kw], bias [O].',
    params: ['weight', 'bias?'],
    attrs: convolution,
    shape: rule.conv2d,
    keeps: 'inputs',
    macs: macs.conv2d,
  }),
  op({
    // What fuse-activation.ts makes of a conv2d with its neighbours; the shortcut is the second operand.
    name: 'conv2d_act',
    summary: 'act(conv2d(x)) or act(conv2d(x) + shortcut); slope [C] or [1] belongs to prelu.',
    maxInputs: 2,
    params: ['weight', 'bias?', 'slope?'],
    attrs: { ...convolution, activation: { type: FUSED_ACTIVATIONS } },
    shape: rule.conv2dAct,
    keeps: 'inputs',
    macs: macs.conv2d,
  }),
  op({
    name: 'linear',
    summary: 'x W^T + b over the last dimension; weight [O, I], bias [O].',
    params: ['weight', 'bias?'],
    shape: rule.linear,
    keeps: 'inputs',
    macs: macs.linear,
  }),
  op({
    // Training: biased batch variance normalises, the unbiased one enters running_var;
    // running = (1 - momentum) * running + momentum * batch. num_batches_tracked (int64, shape []) counts train passes.
    name: 'batch_norm',
    summary: 'Batch normalisation over batch and space of [C, H, W], or over the batch of [C].',
    params: ['weight?', 'bias?', 'running_mean', 'running_var', 'num_batches_tracked'],
    attrs: { eps: withDefault(number, 1e-5), momentum: withDefault(number, 0.1) },
    shape: rule.batchNorm,
    keeps: 'inputs',
    light: true,
  }),
  op({
    // What fuse-activation.ts makes of a batch_norm with its neighbours; the shortcut is the second operand.
    name: 'batch_norm_act',
    summary: 'act(batch_norm(x)) or act(batch_norm(x) + shortcut); slope [C] or [1] belongs to prelu.',
    maxInputs: 2,
    params: ['weight?', 'bias?', 'running_mean', 'running_var', 'num_batches_tracked', 'slope?'],
    attrs: { eps: withDefault(number, 1e-5), momentum: withDefault(number, 0.1), activation: { type: FUSED_ACTIVATIONS } },
    shape: rule.batchNormAct,
    keeps: 'inputs',
    light: true,
  }),
  op({
    name: 'layer_norm',
    summary: 'Normalisation over the last dimension with biased variance.',
    params: ['weight', 'bias'],
    attrs: { eps: withDefault(number, 1e-5) },
    shape: rule.layerNorm,
    keeps: 'inputs',
    light: true,
  }),
  op({
    name: 'prelu',
    summary: 'x if x > 0 else weight[c] * x; weight [C] or [1], c is dimension 0.',
    params: ['weight'],
    shape: rule.prelu,
    keeps: 'inputs',
    light: true,
  }),
  op({
    name: 'add_parameter',
    summary: 'x + weight; weight [1, ...dims] is shared by the batch (position embeddings).',
    params: ['weight'],
    shape: rule.addParameter,
  }),
  op({
    // softmax(scale * q k^T + bias_table[index] + mask[w]) v for each head, where [T, 3C] is laid out as
    // (q | k | v), each as heads x (C / heads). bias_table [L, heads], index int64 [T, T], mask float [W, T, T]: the
    // windows of one image are consecutive in the batch, window w = position mod W.
    name: 'attention',
    summary: 'Multi-head self-attention of [T, 3C] to [T, C], optionally with relative position bias and window mask.',
    params: ['bias_table?', 'index?', 'mask?'],
    attrs: { heads: count, scale: number },
    shape: rule.attention,
    keeps: 'inputs',
  }),

  // --- activations, element by element
  op({ name: 'relu', summary: 'max(x, 0); the gradient at 0 is 0.', shape: rule.same, keeps: 'output', light: true }),
  op({ name: 'relu6', summary: 'min(max(x, 0), 6); the gradient at 0 and 6 is 0.', shape: rule.same, keeps: 'inputs', light: true }),
  op({ name: 'sigmoid', summary: '1 / (1 + exp(-x)).', shape: rule.same, keeps: 'output', light: true }),
  op({ name: 'silu', summary: 'x * sigmoid(x), also called swish.', shape: rule.same, keeps: 'inputs', light: true }),
  op({ name: 'hard_sigmoid', summary: 'relu6(x + 3) / 6.', shape: rule.same, keeps: 'inputs', light: true }),
  op({ name: 'hard_swish', summary: 'x * relu6(x + 3) / 6.', shape: rule.same, keeps: 'inputs', light: true }),
  op({ name: 'gelu', summary: 'x * Phi(x), the exact form with erf.', shape: rule.same, keeps: 'inputs', light: true }),
  op({
    name: 'scale_shift',
    summary: 'x * scale + shift with two constants.',
    attrs: { scale: withDefault(number, 1), shift: withDefault(number, 0) },
    shape: rule.same,
    light: true,
  }),
  op({
    name: 'softmax',
    summary: 'Softmax along dimension `dim`.',
    attrs: { dim: integer },
    shape: rule.softmax,
    keeps: 'output',
  }),
  op({
    name: 'l2_normalize',
    summary: 'x / max(|x|, eps) along the last dimension.',
    attrs: { eps: withDefault(number, 1e-12) },
    shape: rule.same,
    keeps: 'output',
  }),

  // --- several operands
  op({ name: 'add', summary: 'a + b of one shape.', minInputs: 2, shape: rule.sameOperands, light: true }),
  op({
    name: 'add_channels',
    summary: 'a with b added to its first channels; b has at most as many channels (ReXNet shortcuts).',
    minInputs: 2,
    shape: rule.addChannels,
    light: true,
  }),
  op({
    name: 'mul',
    summary: 'a * b of one shape, or a [C, H, W] times a gate b [C, 1, 1].',
    minInputs: 2,
    shape: rule.mul,
    keeps: 'inputs',
    light: true,
  }),
  op({
    name: 'maximum',
    summary: 'Larger of a and b; on ties each receives half of the gradient.',
    minInputs: 2,
    shape: rule.sameOperands,
    keeps: 'inputs',
    light: true,
  }),
  op({
    name: 'concat',
    summary: 'Operands side by side along dimension `dim`.',
    minInputs: 2,
    maxInputs: 64,
    attrs: { dim: withDefault(integer, 0) },
    shape: rule.concat,
    light: true,
  }),

  // --- pooling and resampling of [C, H, W]
  op({
    name: 'max_pool2d',
    summary: 'Maximum over windows; padding counts as minus infinity.',
    attrs: { kernel: pair, stride: pair, padding, ceil_mode: flag(false) },
    shape: rule.pool2d,
    keeps: 'inputs',
  }),
  op({
    name: 'avg_pool2d',
    summary: 'Mean over windows, with or without the padding in the count.',
    attrs: {
      kernel: pair,
      stride: pair,
      padding,
      ceil_mode: flag(false),
      count_include_pad: flag(true),
    },
    shape: rule.pool2d,
    keeps: 'inputs',
  }),
  op({ name: 'global_avg_pool', summary: 'Mean over space: [C, H, W] to [C, 1, 1].', shape: rule.globalPool }),
  op({
    name: 'upsample',
    summary: 'Resampling to `size` as torch.nn.functional.interpolate does; align_corners concerns bilinear only.',
    attrs: { size: pair, mode: { type: ['nearest', 'bilinear'] }, align_corners: flag(false) },
    shape: rule.upsample,
    light: true,
  }),
  op({
    name: 'pad',
    summary: 'Zeros around [C, H, W].',
    attrs: { left: margin, right: margin, top: margin, bottom: margin },
    shape: rule.pad,
    light: true,
  }),

  // --- noise, identity outside stochastic passes
  op({
    name: 'dropout',
    summary: 'Each element is zero with probability p, else divided by 1 - p.',
    attrs: { p: probability },
    shape: rule.same,
  }),
  op({
    name: 'drop_path',
    summary: 'As dropout, one decision for each entry of the batch (stochastic depth).',
    attrs: { p: probability },
    shape: rule.same,
  }),

  // --- layout
  op({ name: 'flatten', summary: 'All dims in NCHW order: [C, H, W] to [C * H * W].', shape: rule.flatten }),
  op({
    name: 'reshape',
    summary: 'New dims with as many elements, row-major in NCHW order.',
    attrs: { dims: extents },
    shape: rule.reshape,
  }),
  op({
    name: 'permute',
    summary: 'Dims in another order: result dims[i] = dims[order[i]]; the batch stays in front.',
    attrs: { order: integers },
    shape: rule.permute,
    light: true,
  }),
  op({
    name: 'slice',
    summary: 'Indices start to end (exclusive) of dimension `dim`.',
    attrs: { dim: withDefault(integer, 0), start: integer, end: integer },
    shape: rule.slice,
    light: true,
  }),
  op({
    // Rolled first: result row r comes from row (r + shift) mod height, columns alike.
    name: 'window_partition',
    summary: '[H * W, C] rolled by -shift and cut into windows: batch * (H / w * W / w), [w * w, C].',
    attrs: { grid: pair, window: count, shift: withDefault(integer, 0) },
    shape: rule.windowPartition,
    light: true,
  }),
  op({
    name: 'window_reverse',
    summary: 'Inverse of window_partition with the same attributes.',
    attrs: { grid: pair, window: count, shift: withDefault(integer, 0) },
    shape: rule.windowReverse,
    light: true,
  }),
  op({
    // Order of the four tokens along the channels: (even row, even column), (odd, even), (even, odd), (odd, odd).
    name: 'patch_merge',
    summary: 'Each 2 x 2 block of tokens side by side: [H * W, C] to [H / 2 * W / 2, 4C].',
    attrs: { grid: pair },
    shape: rule.patchMerge,
    light: true,
  }),
]

const byName = new Map(ops.map((row) => [row.name, row]))

/** The row named `name`, or undefined. */
export function findOp(name: string): Op | undefined {
  return byName.get(name)
}
