/**
 * Small tensors and checkpoints for tests.
 * @module
 */
import type { Checkpoint } from '../../lib/model/checkpoint.js'
import { byteLength, type DType } from '../../lib/model/formats/dtype.js'
import type { NativeTensor } from '../../lib/native.js'

/** Pseudo-random whole numbers below `limit` from a seed: the same on every machine. */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** A tensor whose bytes follow from its name. */
export function tensor(name: string, dtype: DType, shape: readonly number[]): NativeTensor {
  const random = randomOf([...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7))
  const data = Uint8Array.from({ length: byteLength({ name, dtype, shape }) }, () => random(256)).buffer
  return { name, dtype, shape, data }
}

export function floats(name: string, shape: readonly number[], values: readonly number[]): NativeTensor {
  return { name, dtype: 'float32', shape, data: new Float32Array(values).buffer }
}

/** A checkpoint with every element type, a scalar and an empty tensor. */
export function checkpoint(step = 12, changes: Partial<Checkpoint['meta']> = {}): Checkpoint {
  return {
    tensors: [
      tensor('backbone.bn.num_batches_tracked', 'int64', []),
      tensor('backbone.conv1.weight', 'float32', [4, 3, 3, 3]),
      tensor('backbone.half', 'float16', [5]),
      tensor('backbone.brain', 'bfloat16', [3]),
      tensor('backbone.empty', 'float32', [0, 7]),
      tensor('head.weight', 'float64', [3, 5]),
      tensor('head.queue_labels', 'int32', [6]),
      tensor('head.flags', 'uint8', [3]),
      tensor('optimizer.momentum.backbone.conv1.weight', 'float32', [4, 3, 3, 3]),
    ],
    meta: {
      versions: { facex: '0.1.0', node: process.version, libtorch: '2.13.0' },
      position: { step, epoch: 1, batch: 3 },
      seed: 7,
      counters: { loss_scale: 65536, t: -0, worst: Number.NEGATIVE_INFINITY },
      config: { out_dir: 'größe/run', epochs: 3 },
      preprocessing: { color: 'rgb', mean: 127.5, std: 128, crop: 'full', height: 112, width: 112 },
      backbone: { name: 'MobileFaceNet', config: { feat_dim: 512 } },
      classes: { count: 3, hash: 'abc' },
      metrics: { accuracy: Number.NaN },
      state: { waited: 2 },
      ...changes,
    },
  }
}
