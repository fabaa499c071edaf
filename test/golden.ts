/**
 * Golden training runs: state filled from names, and compared by fingerprints (golden/README.md).
 * @module
 */
import { readFileSync } from 'node:fs'

import type { NativeTensor } from '../lib/native.js'
import { uniforms, values } from './golden-values.js'

/** Reads a golden file whose path is known to exist. */
export function readGolden<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

/** float32(uniform * scale + offset) as a native tensor in float64. */
export function formulaTensor(name: string, shape: readonly number[], scale: number, offset: number): NativeTensor {
  return { name, dtype: 'float64', shape, data: Float64Array.from(values(name, elements(shape), scale, offset)).buffer }
}

/** The value that every entry of a network's state dict starts with, `name` being the name that the formula sees. */
export function formulaEntry(entry: NativeTensor, name: string): NativeTensor {
  const { shape } = entry
  const named = (scale: number, offset: number) => ({ ...formulaTensor(name, shape, scale, offset), name: entry.name })
  const last = name.slice(name.lastIndexOf('.') + 1)
  if (last === 'num_batches_tracked') return { ...entry, data: new ArrayBuffer(entry.data.byteLength) }
  if (last === 'running_var') return named(1, 0.5)
  if (last === 'running_mean' || (shape.length === 1 && last === 'bias')) return named(0.2, -0.1)
  if (shape.length === 1) return named(0.75, 0.5)
  const bound = Math.sqrt(3 / elements(shape.slice(1)))
  return named(2 * bound, -bound)
}

/** [L2 norm, sum(value * (uniform(name + "#probe", i) - 0.5))]. */
export function fingerprint(name: string, tensor: Float64Array): [norm: number, probe: number] {
  const weights = uniforms(`${name}#probe`, tensor.length)
  let [square, probe] = [0, 0]
  tensor.forEach((value, i) => {
    square += value * value
    probe += value * (weights[i]! - 0.5)
  })
  return [Math.sqrt(square), probe]
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
