/**
 * Names of weights as other programs write them: prefixes of wrappers, and backbone and head in one dict.
 * @module
 */
import type { NativeTensor } from '../native.js'

/** Prefixes that wrappers put in front of every name: DistributedDataParallel, torch.compile, model classes. */
const WRAPPERS = ['module.', '_orig_mod.', 'model.', 'net.', 'encoder.']

/** The part that a first name stands for; `other` is neither used nor reported as unexpected. */
const PARTS: Readonly<Record<string, 'backbone' | 'head' | 'other'>> = {
  backbone: 'backbone',
  feat_net: 'backbone',
  head: 'head',
  optimizer: 'other',
}

/** Splits a state dict into backbone and head. Names without a part's prefix are the backbone's. */
export function splitParts(tensors: readonly NativeTensor[]): { backbone: NativeTensor[]; head: NativeTensor[] } {
  const unwrapped = unwrap(tensors)
  const partOf = ({ name }: NativeTensor) => PARTS[name.slice(0, Math.max(name.indexOf('.'), 0))]
  const isSplit = unwrapped.every((tensor) => partOf(tensor) !== undefined) && unwrapped.some((tensor) => partOf(tensor) === 'backbone')
  if (!isSplit) return { backbone: unwrapped, head: [] }
  const take = (part: string) => unwrap(unwrapped.filter((tensor) => partOf(tensor) === part).map((tensor) => ({ ...tensor, name: tensor.name.slice(tensor.name.indexOf('.') + 1) })))
  return { backbone: take('backbone'), head: take('head') }
}

/** Removes the prefixes that all names share. */
function unwrap(tensors: readonly NativeTensor[]): NativeTensor[] {
  const wrapper = WRAPPERS.find((prefix) => tensors.length > 0 && tensors.every(({ name }) => name.startsWith(prefix)))
  if (wrapper === undefined) return [...tensors]
  return unwrap(tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice(wrapper.length) })))
}
