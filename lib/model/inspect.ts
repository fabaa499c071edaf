/**
 * What a file of weights holds, without reading the content of its tensors.
 * @module
 */
import { readCheckpointMeta, type CheckpointMeta } from './checkpoint.js'
import { elementCount } from './formats/dtype.js'
import { withFile } from './formats/file-access.js'
import { readHeader } from './formats/safetensors.js'
import { listTorchStateDict } from './formats/torch-state-dict.js'
import { weightsFormat, type WeightsFormat } from './weights.js'

export interface FileContent {
  readonly format: WeightsFormat
  /** dtype as the file names it in facex's words. */
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[]
  /** Elements of all tensors. */
  readonly elements: number
  /** Plain values beside the tensors: safetensors metadata, `epoch` of a PyTorch file. */
  readonly values: Readonly<Record<string, string | number | boolean>>
  readonly meta?: CheckpointMeta
}

/** Lists `file`. Throws ERR_CHECKPOINT when it is none of the known formats or its header is damaged. */
export async function inspectFile(file: string): Promise<FileContent> {
  const format = await weightsFormat(file)
  const content = await list(file, format)
  return { format, ...content, elements: content.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) }
}

async function list(file: string, format: WeightsFormat): Promise<Pick<FileContent, 'tensors' | 'values' | 'meta'>> {
  switch (format) {
    case 'checkpoint':
      return { ...(await readCheckpointMeta(file)), values: {} }
    case 'torch': {
      const { tensors, values } = await listTorchStateDict(file)
      return { tensors, values: Object.fromEntries(values) }
    }
    case 'safetensors':
      return withFile(file, async (handle, size) => {
        const { header } = await readHeader(handle, size)
        return { tensors: header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })), values: Object.fromEntries(header.metadata) }
      })
  }
}
