/**
 * Finds the state dict in what people save: at the top, or nested in the usual ways.
 * @module
 */
import { FacexError } from '../../errors.js'
import type { NativeTensor } from '../../native.js'
import { withTorchFile, type TorchFile } from './torch-file.js'
import { TorchTensor, type TorchDType } from './torch-tensor.js'

export interface TorchStateDict {
  readonly tensors: readonly NativeTensor[]
  /** Plain values that stand beside the state dict, such as `epoch`. */
  readonly values: ReadonlyMap<string, number | string | boolean>
}

/** Keys of one state dict inside a larger record, most common first. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'params']

/** Keys of several state dicts side by side, and the prefix that each gets. */
const PARTS: Readonly<Record<string, string>> = {
  state_dict_backbone: 'backbone.',
  backbone: 'backbone.',
  state_dict_softmax_fc: 'head.',
  head: 'head.',
}

const MAX_DEPTH = 4

/** Reads all tensors of the file's state dict. Throws ERR_CHECKPOINT that says what the file holds where there is none. */
export async function readTorchStateDict(file: string): Promise<TorchStateDict> {
  return withTorchFile(file, async (torch) => {
    const entries = findStateDict(torch.value, 0) ?? fail(torch.value)
    const tensors: NativeTensor[] = []
    for (const [name, tensor] of entries) tensors.push(await torch.read(name, tensor))
    return { tensors, values: plainValues(torch) }
  })
}

/** What the state dict holds, without reading the content. `dtype` is the one in the file. */
export async function listTorchStateDict(file: string): Promise<{
  readonly tensors: readonly { readonly name: string; readonly dtype: TorchDType; readonly shape: readonly number[] }[]
  readonly values: TorchStateDict['values']
}> {
  return withTorchFile(file, async (torch) => {
    const entries = findStateDict(torch.value, 0) ?? fail(torch.value)
    return { tensors: [...entries].map(([name, { dtype, shape }]) => ({ name, dtype, shape })), values: plainValues(torch) }
  })
}

function findStateDict(value: unknown, depth: number): Map<string, TorchTensor> | undefined {
  if (!(value instanceof Map) || depth > MAX_DEPTH) return undefined
  const direct = tensorsOf(value, '')
  if (direct.length > 0) return new Map(direct)
  for (const key of WRAPPERS) {
    const inner = findStateDict(value.get(key), depth + 1)
    if (inner !== undefined) return inner
  }
  const parts = Object.entries(PARTS).flatMap(([key, prefix]) => tensorsOf(value.get(key), prefix))
  return parts.length === 0 ? undefined : new Map(parts)
}

function tensorsOf(value: unknown, prefix: string): [string, TorchTensor][] {
  if (!(value instanceof Map)) return []
  return [...value].flatMap(([name, tensor]) => (tensor instanceof TorchTensor ? [[`${prefix}${String(name)}`, tensor]] : []))
}

function plainValues({ value }: TorchFile): Map<string, number | string | boolean> {
  const isPlain = (item: unknown): item is number | string | boolean => ['number', 'string', 'boolean'].includes(typeof item)
  return new Map(value instanceof Map ? [...value].flatMap(([key, item]) => (isPlain(item) ? [[String(key), item] as const] : [])) : [])
}

function fail(value: unknown): never {
  const found = value instanceof Map ? `a dict with the keys ${[...value.keys()].slice(0, 10).map(String).join(', ')}` : 'no dict'
  throw new FacexError('ERR_CHECKPOINT', `expected a state dict, at the top or under ${WRAPPERS.join(', ')}; found ${found}`)
}
