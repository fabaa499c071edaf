/**
 * Runs native heads on plain arrays.
 * @module
 */
import { findHead } from '../../lib/heads/index.js'
import type { HeadDefinition } from '../../lib/heads/index.js'
import { addon } from '../../lib/native.js'
import type { NativeHead, NativeTensor } from '../../lib/native.js'
import { DEVICE } from './device.js'

export type Precision = 'float32' | 'float64'

export interface HeadRun {
  readonly loss: number
  readonly extraLoss: number
  readonly logits: number[]
  readonly gradEmbeddings: number[]
  readonly grads: Record<string, number[]>
}

/** A head in one of its forms, with arrays instead of native tensors at its border. */
export class HeadRunner {
  readonly head: NativeHead
  private readonly featDim: number

  constructor(head: string | HeadDefinition, config: Record<string, unknown>, readonly dtype: Precision, reference: boolean, seed = 7) {
    const definition = typeof head === 'string' ? findHead(head) : head
    const pieces = definition.create(definition.schema.parse(config))
    this.featDim = pieces.featDim
    this.head = new (addon().Head)({ ...pieces, dtype, device: DEVICE, reference })
    this.head.initialise(seed)
  }

  load(entries: Record<string, { shape: readonly number[]; value: readonly number[] }>): void {
    this.head.load(Object.entries(entries).map(([name, { shape, value }]) => tensor(name, this.dtype, shape, value)))
  }

  run(embeddings: readonly number[], labels: readonly number[], options: { gradScale?: number; adapt?: boolean; randomKey?: number; gallery?: readonly number[] } = {}): HeadRun {
    const { gallery, ...rest } = options
    const result = this.head.run({
      embeddings: this.features(embeddings),
      labels: this.labels(labels),
      ...(gallery === undefined ? {} : { gallery: this.features(gallery) }),
      ...rest,
    })
    return {
      loss: result.loss,
      extraLoss: result.extraLoss,
      logits: numbers(result.logits),
      gradEmbeddings: numbers(result.gradEmbeddings),
      grads: Object.fromEntries(result.grads.map((grad) => [grad.name, numbers(grad)])),
    }
  }

  enqueue(features: readonly number[], labels: readonly number[]): void {
    this.head.enqueue(this.features(features), this.labels(labels))
  }

  features(values: readonly number[]): NativeTensor {
    return tensor('features', this.dtype, [values.length / this.featDim, this.featDim], values)
  }

  labels(values: readonly number[]): NativeTensor {
    return { name: 'labels', dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt).buffer }
  }

  state(): Record<string, number[]> {
    return Object.fromEntries(this.head.state().map((entry) => [entry.name, numbers(entry)]))
  }
}

export function tensor(name: string, dtype: Precision, shape: readonly number[], values: readonly number[]): NativeTensor {
  return { name, dtype, shape, data: (dtype === 'float64' ? Float64Array : Float32Array).from(values).buffer }
}

export function numbers(tensor: NativeTensor): number[] {
  if (tensor.dtype === 'float64') return [...new Float64Array(tensor.data)]
  if (tensor.dtype === 'float32') return [...new Float32Array(tensor.data)]
  if (tensor.dtype === 'int64') return [...new BigInt64Array(tensor.data)].map(Number)
  throw new Error(`numbers(): no array for dtype ${tensor.dtype}`)
}

/** Largest difference, relative to the largest expected magnitude where that is above 1; Infinity for NaN or another length. */
export function distance(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity
  let difference = 0
  let magnitude = 1
  for (let i = 0; i < actual.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!))
    magnitude = Math.max(magnitude, Math.abs(expected[i]!))
  }
  return Number.isNaN(difference) ? Infinity : difference / magnitude
}
