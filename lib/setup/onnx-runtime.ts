/**
 * onnxruntime, which facex uses where its user has installed it: to find faces and to verify exported networks.
 * @module
 */

/** A tensor of onnxruntime. */
export interface OnnxTensor {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

export interface OnnxSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Record<string, OnnxTensor>>
}

/** The part of onnxruntime-node that is used. */
export interface OnnxRuntime {
  readonly InferenceSession: { create(file: Uint8Array, options?: { intraOpNumThreads?: number }): Promise<OnnxSession> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor
}

const OPTIONAL_PACKAGE = 'onnxruntime-node'

/** The package, or why it could not be loaded. */
export async function findOnnxRuntime(): Promise<{ runtime: OnnxRuntime } | { problem: string }> {
  try {
    const module = (await import(OPTIONAL_PACKAGE)) as OnnxRuntime & { default?: OnnxRuntime }
    return { runtime: module.InferenceSession === undefined ? module.default! : module }
  } catch (error) {
    return { problem: (error as Error).message.split('\n')[0]! }
  }
}
