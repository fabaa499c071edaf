/**
 * FaceX-Zoo's command line: each flag of its train.sh sets one key of the configuration.
 * @module
 */
import { FacexError } from '../errors.js'
import type { ConfigPath, ConfigTree } from './tree.js'

type Conversion = (text: string, flag: string) => unknown

interface Flag {
  readonly path: ConfigPath
  readonly convert: Conversion
}

const text: Conversion = (value) => value

const number: Conversion = (value, flag) => {
  const result = Number(value)
  if (value.trim() === '' || Number.isNaN(result)) throw new FacexError('ERR_USAGE', `--${flag}: expected a number, received "${value}"`)
  return result
}

/** `10,13,16` as FaceX-Zoo writes its milestones. */
const numbers: Conversion = (value, flag) => value.split(',').map((part) => number(part, flag))

/** Flags with a value. `--resume` is not here: it is an action, not a setting. */
export const zooFlags: Readonly<Record<string, Flag>> = {
  data_root: { path: ['data', 'train', 0, 'root'], convert: text },
  train_file: { path: ['data', 'train', 0, 'list'], convert: text },
  backbone_type: { path: ['backbone', 'type'], convert: text },
  backbone_conf_file: { path: ['backbone', 'conf_file'], convert: text },
  head_type: { path: ['head', 'type'], convert: text },
  head_conf_file: { path: ['head', 'conf_file'], convert: text },
  lr: { path: ['optimizer', 'lr'], convert: number },
  momentum: { path: ['optimizer', 'momentum'], convert: number },
  out_dir: { path: ['out_dir'], convert: text },
  epoches: { path: ['epochs'], convert: number },
  step: { path: ['schedule', 'milestones'], convert: numbers },
  batch_size: { path: ['batch_size'], convert: number },
  print_freq: { path: ['log', 'every'], convert: number },
  save_freq: { path: ['checkpoint', 'every_steps'], convert: number },
  log_dir: { path: ['log', 'dir'], convert: text },
  tensorboardx_logdir: { path: ['log', 'tensorboard_dir'], convert: text },
  pretrain_model: { path: ['init', 'weights'], convert: text },
  alpha: { path: ['mode', 'alpha'], convert: number },
  init: { path: ['init', 'weights'], convert: text },
  device: { path: ['device'], convert: text },
  precision: { path: ['precision'], convert: text },
  threads: { path: ['threads'], convert: number },
  seed: { path: ['seed'], convert: number },
}

/** Applies the flags given on the command line. */
export function applyFlags(tree: ConfigTree, flags: Readonly<Record<string, string | undefined>>): void {
  for (const [flag, { path, convert }] of Object.entries(zooFlags)) {
    const value = flags[flag]
    if (value !== undefined) tree.set(path, convert(value, flag), `--${flag}`)
  }
  if (flags['train_file'] !== undefined) useListSource(tree)
}

/** `--train_file` names a list: it takes the place of all sources of a configuration file. */
function useListSource(tree: ConfigTree): void {
  const [root, list] = ['root', 'list'].map((key) => tree.get(['data', 'train', 0, key]))
  const origins = ['root', 'list'].map((key) => tree.at(`data.train[0].${key}`))
  tree.set(['data', 'train'], [{ kind: 'list' }], '--train_file')
  if (root !== undefined) tree.set(['data', 'train', 0, 'root'], root, origins[0]!)
  tree.set(['data', 'train', 0, 'list'], list, origins[1]!)
}
