/**
 * Golden values and the formula that rebuilds weights and inputs from names (golden/README.md).
 * @module
 */
import { readFileSync } from 'node:fs'

import type { NativeTensor } from '../lib/native.js'

/** Reads a golden file whose path is known to exist. */
export function readGolden<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

/** Element `i` of the stream called `name`, in [0, 1). */
export function uniform(name: string, i: number): number {
  return uniformFrom(fnv1a32(name), i)
}

/** Elements of the tensor called `name`: float32(uniform * scale + offset). */
export function formulaValues(name: string, count: number, scale: number, offset: number): Float64Array {
  const seed = fnv1a32(name)
  return Float64Array.from({ length: count }, (_, i) => Math.fround(uniformFrom(seed, i) * scale + offset))
}

/** The same as a native tensor in float64. */
export function formulaTensor(name: string, shape: readonly number[], scale: number, offset: number): NativeTensor {
  return { name, dtype: 'float64', shape, data: formulaValues(name, elements(shape), scale, offset).buffer as ArrayBuffer }
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
export function fingerprint(name: string, values: Float64Array): [norm: number, probe: number] {
  const seed = fnv1a32(`${name}#probe`)
  let [square, probe] = [0, 0]
  values.forEach((value, i) => {
    square += value * value
    probe += value * (uniformFrom(seed, i) - 0.5)
  })
  return [Math.sqrt(square), probe]
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function uniformFrom(seed: number, i: number): number {
  return fmix32((seed + Math.imul(i, 0x9e3779b9)) >>> 0) / 2 ** 32
}

function fnv1a32(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function fmix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
