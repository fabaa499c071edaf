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
  if (device === 'cpu') return { device }
  const { available, problem, remedy } = addon().info().cuda
  if (available) return { device: 'cuda' }
  if (device === 'cuda') {
    throw new FacexError('ERR_SETUP', `device: cuda was asked for, but ${problem}. ${remedy}. "npx facex doctor" shows more; "device: cpu" works without.`)
  }
  return { device: 'cpu', notice: `device: auto chose cpu, ${problem}` }
}

const COMPUTE: Readonly<Record<RunConfig['precision'], ComputeType>> = { fp32: 'float32', bf16: 'bfloat16', fp16: 'float16' }

/** Type of activations for a precision of the configuration. */
export function computeType(precision: RunConfig['precision']): ComputeType {
  return COMPUTE[precision]
}
