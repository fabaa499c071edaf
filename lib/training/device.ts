/** Which device a run uses and in what it computes. @module */
import type { RunConfig } from '../config/run.js'
import { FacexError } from '../errors.js'
import { addon, type ComputeType, type NativeDevice } from '../native.js'

export interface DeviceChoice {
  readonly device: NativeDevice
  /** Said once at the start, when `auto` fell back. */
  readonly notice?: string
}

/**
 * `cuda` where it was asked for or, with `auto`, where it works.
 * @throws FacexError ERR_SETUP when `cuda` was asked for and does not work
 */
export function chooseDevice(device: RunConfig['device']): DeviceChoice {
  const { cudaAvailable, cudaBuilt } = addon().info()
  if (device === 'cpu') return { device }
  if (cudaAvailable) return { device: 'cuda' }
  const reason = cudaBuilt ? 'no usable GPU was found' : 'this build of facex has no CUDA'
  if (device === 'cuda') {
    throw new FacexError('ERR_SETUP', `device: cuda was asked for, but ${reason}. "npx facex doctor" shows what is missing; "device: cpu" trains without.`)
  }
  return { device: 'cpu', notice: `device: auto chose cpu, ${reason}` }
}

const COMPUTE: Readonly<Record<RunConfig['precision'], ComputeType>> = { fp32: 'float32', bf16: 'bfloat16', fp16: 'float16' }

/** Type of activations for a precision of the configuration. */
export function computeType(precision: RunConfig['precision']): ComputeType {
  return COMPUTE[precision]
}
