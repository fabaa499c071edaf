/**
 * What the tests of all heads share: numbers to feed them, and questions about what comes out.
 * @module
 */
import { readCheckpoint, writeCheckpoint, type CheckpointMeta } from '../../lib/model/checkpoint.js'
import type { NativeTensor } from '../../lib/native.js'
import type { HeadRun } from './head-runner.js'

const META: CheckpointMeta = {
  versions: { facex: '1', node: '1', libtorch: '1' },
  position: { step: 3, epoch: 0, batch: 3 },
  seed: 0,
  counters: {},
  config: {},
  preprocessing: { color: 'bgr', mean: 127.5, std: 128, crop: 'full', height: 112, width: 112 },
  backbone: { name: 'Tiny', config: {} },
  metrics: {},
  state: {},
}

/** A head's tensors as they come back out of a checkpoint. */
export async function throughCheckpoint(file: string, tensors: NativeTensor[]): Promise<NativeTensor[]> {
  await writeCheckpoint(file, { tensors, meta: META })
  return [...(await readCheckpoint(file)).tensors]
}

/** Reproducible numbers in [-1, 1). */
export function numbersFrom(seed: number, count: number): number[] {
  let state = seed * 2654435761 + 1
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 32) * 2 - 1
  })
}

/** Masked logits are -Infinity; `logits: false` leaves them out of the question. */
export function allFinite(result: HeadRun, { logits = true } = {}): boolean {
  const values = [result.loss, result.extraLoss, ...result.gradEmbeddings, ...Object.values(result.grads).flat()]
  return [...values, ...(logits ? result.logits : [])].every(Number.isFinite)
}

export const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

export const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

/** To 1e-6, relative where the expected value is above 1. */
export const near = (actual: number, expected: number) => Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected))
