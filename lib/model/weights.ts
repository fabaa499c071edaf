/**
 * Weights from any file that people have: a checkpoint of facex, safetensors, or a PyTorch file.
 * @module
 */
import { FacexError } from '../errors.js'
import type { NativeTensor } from '../native.js'
import { isCheckpoint, readCheckpoint, type CheckpointMeta } from './checkpoint.js'
import { readAt, withFile } from './formats/file-access.js'
import { readHeader, readSafetensors } from './formats/safetensors.js'
import { readTorchStateDict } from './formats/torch-state-dict.js'
import { splitParts } from './weight-names.js'

export type WeightsFormat = 'checkpoint' | 'safetensors' | 'torch'

export interface Weights {
  readonly file: string
  readonly format: WeightsFormat
  /** State of the backbone, names as in its graph or in another project's layout. */
  readonly backbone: readonly NativeTensor[]
  /** State of the head; empty where the file has none or it was not asked for. */
  readonly head: readonly NativeTensor[]
  /** What the file says about itself; only checkpoints do. */
  readonly meta?: CheckpointMeta
}

/**
 * Reads weights. Of a checkpoint the moving average is taken where there is one, as that is what was evaluated.
 * @param options.head read the head as well. @default false
 * @throws FacexError ERR_CHECKPOINT when the file is missing, damaged, hostile or holds no weights
 */
export async function loadWeights(file: string, options: { readonly head?: boolean } = {}): Promise<Weights> {
  const format = await weightsFormat(file)
  if (format === 'checkpoint') return loadFromCheckpoint(file, options.head ?? false)
  const { tensors } = format === 'torch' ? await readTorchStateDict(file) : await readSafetensors(file)
  const { backbone, head } = splitParts(tensors)
  if (backbone.length === 0) throw new FacexError('ERR_CHECKPOINT', `${file}: it holds no tensors of a backbone`)
  return { file, format, backbone, head: options.head ? head : [] }
}

/** First byte of a pickle of protocol 2 and later; the length of a safetensors header may begin with it too. */
const PICKLE = 0x80

/** Recognises the format by content. Throws ERR_CHECKPOINT when the file is none of the three. */
export async function weightsFormat(file: string): Promise<WeightsFormat> {
  return withFile(file, async (handle, size) => {
    const start = Buffer.alloc(Math.min(9, size))
    await readAt(handle, start, 0)
    const looksSafe = start[8] === '{'.charCodeAt(0)
    if (!looksSafe && (start[0] === PICKLE || start.toString('latin1', 0, 2) === 'PK')) return 'torch'
    if (!looksSafe) throw new FacexError('ERR_CHECKPOINT', 'expected a facex checkpoint, a safetensors file or a PyTorch file; this is none of them')
    const { header } = await readHeader(handle, size)
    return isCheckpoint(header.metadata) ? 'checkpoint' : 'safetensors'
  })
}

async function loadFromCheckpoint(file: string, wantHead: boolean): Promise<Weights> {
  const { meta, tensors } = await readCheckpoint(file, ({ name }) => /^(backbone|average)\./.test(name) || (wantHead && name.startsWith('head.')))
  const part = (prefix: string) => tensors.filter(({ name }) => name.startsWith(prefix)).map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }))
  const average = part('average.')
  return { file, format: 'checkpoint', backbone: average.length > 0 ? average : part('backbone.'), head: part('head.'), meta }
}
