/** Operations without state, for use in forward. @module */
import type { Value } from './trace.js'

/** a + b + ... of one shape. */
export function add(first: Value, ...rest: readonly Value[]): Value {
  return rest.reduce((sum, value) => sum.trace.emit('add', [sum, value]), first)
}

/** `x` with `part` added to its first channels. */
export const addChannels = (x: Value, part: Value): Value => x.trace.emit('add_channels', [x, part])

/** Product of one shape, or `x` [C, H, W] times a gate [C, 1, 1]. */
export const mul = (x: Value, gate: Value): Value => x.trace.emit('mul', [x, gate])

/** The larger of the two, element by element. */
export const maximum = (a: Value, b: Value): Value => a.trace.emit('maximum', [a, b])

/** x * scale + shift with two constants. */
export const scaleShift = (x: Value, scale: number, shift: number): Value => x.trace.emit('scale_shift', [x], { scale, shift })

/** Side by side along `dim`, channels by default. */
export const concat = (parts: readonly Value[], dim = 0): Value => parts[0]!.trace.emit('concat', parts, { dim })

/** Indices start to end (exclusive) of dimension `dim`. */
export const slice = (x: Value, start: number, end: number, dim = 0): Value => x.trace.emit('slice', [x], { dim, start, end })

/** `count` equal parts along `dim`. */
export function chunk(x: Value, count: number, dim = 0): Value[] {
  const extent = x.dims[dim]! / count
  return Array.from({ length: count }, (_, i) => slice(x, i * extent, (i + 1) * extent, dim))
}

export const relu = (x: Value): Value => x.trace.emit('relu', [x])
export const relu6 = (x: Value): Value => x.trace.emit('relu6', [x])
export const silu = (x: Value): Value => x.trace.emit('silu', [x])
export const sigmoid = (x: Value): Value => x.trace.emit('sigmoid', [x])
export const hardSigmoid = (x: Value): Value => x.trace.emit('hard_sigmoid', [x])
export const softmax = (x: Value, dim: number): Value => x.trace.emit('softmax', [x], { dim })
export const l2Normalize = (x: Value): Value => x.trace.emit('l2_normalize', [x])

/** Mean over space: [C, H, W] to [C, 1, 1]. */
export const globalAvgPool = (x: Value): Value => x.trace.emit('global_avg_pool', [x])

/** Resampled to the given height and width. */
export function upsample(x: Value, size: readonly [number, number], mode: 'nearest' | 'bilinear', alignCorners = false): Value {
  return x.trace.emit('upsample', [x], { size, mode, align_corners: alignCorners })
}

/** Zeros around an image. */
export function pad(x: Value, sides: { left: number; right: number; top: number; bottom: number }): Value {
  return x.trace.emit('pad', [x], sides)
}

export const flatten = (x: Value): Value => x.trace.emit('flatten', [x])
export const reshape = (x: Value, dims: readonly number[]): Value => x.trace.emit('reshape', [x], { dims })
export const permute = (x: Value, order: readonly number[]): Value => x.trace.emit('permute', [x], { order })

/** An image [C, H, W] as a sequence of tokens [H * W, C]. */
export function tokens(x: Value): Value {
  const [channels, height, width] = x.dims as [number, number, number]
  return permute(reshape(x, [channels, height * width]), [1, 0])
}
