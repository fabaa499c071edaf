/**
 * The ops of transformers in ONNX: attention, shifted windows and merging of patches.
 * @module
 */
import type { EmitContext } from './emit-context.js'
import type { OnnxModel } from './onnx-model.js'

const ints = (values: readonly number[]) => ({ ints: values })

/** x [B, T, 3C] to [B, T, C]; h heads of d channels. */
export function emitAttention({ model, node, inputs, content, parameter }: EmitContext): string {
  const [count, channels] = node.shape.dims as [number, number]
  const heads = node.attrs.heads as number
  const split = model.node('Reshape', [inputs[0]!, model.integers([-1, count, 3, heads, channels / heads])])
  const parts = model.node('Transpose', [split], { perm: ints([2, 0, 3, 1, 4]) })
  const [query, key, value] = [0, 1, 2].map((part) => model.node('Gather', [parts, model.index(part)], { axis: { int: 0 } })) as [string, string, string]
  const scaled = model.node('Mul', [query, model.scalar(node.attrs.scale as number)])
  let scores = model.node('MatMul', [scaled, model.node('Transpose', [key], { perm: ints([0, 1, 3, 2]) })])
  const bias = relativeBias(content('bias_table')?.values, content('index')?.values, heads, count)
  if (bias !== undefined) scores = model.node('Add', [scores, model.floats(`${node.path} bias`, [1, heads, count, count], bias)])
  const mask = content('mask')
  if (mask !== undefined) {
    const windows = mask.shape[0]!
    const byImage = model.node('Reshape', [scores, model.integers([-1, windows, heads, count, count])])
    const masked = model.node('Add', [byImage, parameter('mask', [1, windows, 1, count, count])])
    scores = model.node('Reshape', [masked, model.integers([-1, heads, count, count])])
  }
  const mixed = model.node('MatMul', [model.node('Softmax', [scores], { axis: { int: -1 } }), value])
  const joined = model.node('Transpose', [mixed], { perm: ints([0, 2, 1, 3]) })
  return model.node('Reshape', [joined, model.integers([-1, count, channels])])
}

/** [h, T, T]: row index[q, k] of the table [L, h]. */
function relativeBias(table: ArrayLike<number> | undefined, index: ArrayLike<number> | undefined, heads: number, count: number): Float32Array | undefined {
  if (table === undefined || index === undefined) return undefined
  const bias = new Float32Array(heads * count * count)
  for (let pair = 0; pair < count * count; pair++) {
    for (let head = 0; head < heads; head++) bias[head * count * count + pair] = table[index[pair]! * heads + head]!
  }
  return bias
}

export function emitWindowPartition({ model, node, inputs, shapes }: EmitContext): string {
  const { height, width, window, shift } = gridOf(node.attrs)
  const channels = shapes[0]!.dims[1]!
  const image = model.node('Reshape', [inputs[0]!, model.integers([-1, height, width, channels])])
  const rolled = roll(model, image, shift, shift)
  const cut = model.node('Reshape', [rolled, model.integers([-1, height / window, window, width / window, window, channels])])
  const windows = model.node('Transpose', [cut], { perm: ints([0, 1, 3, 2, 4, 5]) })
  return model.node('Reshape', [windows, model.integers([-1, window * window, channels])])
}

export function emitWindowReverse({ model, node, inputs, shapes }: EmitContext): string {
  const { height, width, window, shift } = gridOf(node.attrs)
  const channels = shapes[0]!.dims[1]!
  const windows = model.node('Reshape', [inputs[0]!, model.integers([-1, height / window, width / window, window, window, channels])])
  const joined = model.node('Transpose', [windows], { perm: ints([0, 1, 3, 2, 4, 5]) })
  const image = model.node('Reshape', [joined, model.integers([-1, height, width, channels])])
  const rolled = shift === 0 ? image : roll(model, image, height - shift, width - shift)
  return model.node('Reshape', [rolled, model.integers([-1, height * width, channels])])
}

/** Channels of a block in the order (even row, even column), (odd, even), (even, odd), (odd, odd). */
export function emitPatchMerge({ model, node, inputs, shapes }: EmitContext): string {
  const [height, width] = node.attrs.grid as readonly [number, number]
  const channels = shapes[0]!.dims[1]!
  const blocks = model.node('Reshape', [inputs[0]!, model.integers([-1, height / 2, 2, width / 2, 2, channels])])
  const ordered = model.node('Transpose', [blocks], { perm: ints([0, 1, 3, 4, 2, 5]) })
  return model.node('Reshape', [ordered, model.integers([-1, (height * width) / 4, 4 * channels])])
}

/** Of [B, H, W, C]: row r of the result is row (r + rows) mod H, columns alike. */
function roll(model: OnnxModel, image: string, rows: number, columns: number): string {
  if (rows === 0 && columns === 0) return image
  const along = (value: string, axis: number, by: number) => {
    const part = (start: number, end: number) => model.node('Slice', [value, model.integers([start]), model.integers([end]), model.integers([axis])])
    return model.node('Concat', [part(by, 2 ** 31), part(0, by)], { axis: { int: axis } })
  }
  return along(along(image, 1, rows), 2, columns)
}

function gridOf(attrs: Readonly<Record<string, unknown>>): { height: number; width: number; window: number; shift: number } {
  const [height, width] = attrs.grid as readonly [number, number]
  return { height, width, window: attrs.window as number, shift: attrs.shift as number }
}
