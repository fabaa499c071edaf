/**
 * Runs an exported network in onnxruntime, where that is installed, and compares it with the engine.
 * @module
 */
import { FacexError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { addon, type NativeTensor } from '../native.js'
import { findOnnxRuntime } from '../setup/onnx-runtime.js'
import { ONNX_INPUT } from './export-onnx.js'
import type { Preprocessing } from './preprocessing.js'

/** Ten times what the networks show: float32 sums in another order. */
const MAX_ERROR = 1e-4

/**
 * @returns the error of two embeddings relative to their norm; undefined where onnxruntime-node is not installed
 * @throws FacexError ERR_NATIVE when the two disagree
 */
export async function verifyOnnx(file: Uint8Array, graph: Graph, state: readonly NativeTensor[], { mean, std }: Preprocessing): Promise<number | undefined> {
  const installed = await findOnnxRuntime()
  if ('problem' in installed) return undefined
  const { runtime } = installed
  const dims = graph.nodes.find(({ op }) => op === 'input')!.shape.dims
  const shape = [2, ...dims]
  const images = Float32Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, (_, i) => Math.sin(i * 12.9898) * 0.9)
  const session = await runtime.InferenceSession.create(file)
  const found = (await session.run({ [ONNX_INPUT]: new runtime.Tensor('float32', images, shape) }))['embedding']!.data
  const network = new (addon().Network)(graph, { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: mean, pixelScale: 1 / std })
  try {
    network.load(state)
    const expected = new Float32Array((await network.infer({ name: ONNX_INPUT, dtype: 'float32', shape, data: images.buffer }, 'embedding')).data)
    const error = relativeError(found, expected)
    if (!(error < MAX_ERROR)) throw new FacexError('ERR_NATIVE', `the exported network disagrees with the engine: relative error ${error}, expected below ${MAX_ERROR}`)
    return error
  } finally {
    network.dispose()
  }
}

function relativeError(found: Float32Array, expected: Float32Array): number {
  let [difference, norm] = [0, 0]
  expected.forEach((value, i) => {
    difference += (found[i]! - value) ** 2
    norm += value ** 2
  })
  return Math.sqrt(difference / norm)
}
