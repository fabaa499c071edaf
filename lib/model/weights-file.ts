/**
 * The backbone's weights in a file, whatever wrote it: a checkpoint of facex, which says everything about itself, or
 * safetensors with a plain state dict.
 * @module
 */
import type { NativeTensor } from '../native.js'
import { readCheckpoint, isCheckpoint, type CheckpointMeta } from './checkpoint.js'
import type { TensorInfo } from './formats/dtype.js'
import { readSafetensors } from './formats/safetensors.js'

export interface WeightsFile {
  /** The backbone's state by the names of its own state dict. */
  readonly tensors: readonly NativeTensor[]
  /** The network, the pixels and the run that these weights belong to; absent where the file does not say. */
  readonly described: Pick<CheckpointMeta, 'backbone' | 'preprocessing' | 'config'> | undefined
}

/** Parts of a checkpoint that are a backbone, the one to use first: the moving average is what was evaluated. */
const NETWORKS = ['average.', 'backbone.']
/** What wrappers of other programs put before names. */
const WRAPPERS = /^(?:module\.)?(?:backbone\.)?/

/** @throws FacexError ERR_CHECKPOINT when the file is missing, damaged or of another kind */
export async function readWeightsFile(file: string): Promise<WeightsFile> {
  const { metadata } = await readSafetensors(file, () => false)
  if (!isCheckpoint(metadata)) {
    const { tensors } = await readSafetensors(file)
    return { tensors: tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(WRAPPERS, '') })), described: undefined }
  }
  const isNetwork = ({ name }: TensorInfo) => NETWORKS.some((prefix) => name.startsWith(prefix))
  const { tensors, meta } = await readCheckpoint(file, isNetwork)
  const prefix = NETWORKS.find((candidate) => tensors.some((tensor) => tensor.name.startsWith(candidate))) ?? 'backbone.'
  const network = tensors.filter((tensor) => tensor.name.startsWith(prefix))
  return { tensors: network.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) })), described: meta }
}
