/**
 * Conversion between the files that weights travel in.
 * @module
 */
import path from 'node:path'

import { FacexError, unknownName } from '../errors.js'
import type { NativeTensor } from '../native.js'
import { packageVersion } from '../setup/places.js'
import { writeCheckpoint, type CheckpointMeta } from './checkpoint.js'
import { deploy } from './deploy.js'
import { writeSafetensors } from './formats/safetensors.js'
import { writeTorchFile } from './formats/torch-writer.js'
import { fitNetwork, type FittedNetwork, type NamedBackbone } from './network.js'
import { checkPreprocessing, cropFor, type Preprocessing } from './preprocessing.js'
import { loadWeights, type Weights, type WeightsFormat } from './weights.js'

export interface ConvertOptions {
  /** By the extension of the output when left out: .pt, .pth, .ckpt are PyTorch's, .safetensors is safetensors, and a checkpoint with `pixels`. */
  readonly format?: WeightsFormat | undefined
  /** The network: names are translated to its own, and every entry must fit. Needed for a checkpoint of other weights. */
  readonly backbone?: NamedBackbone | undefined
  /** How pixels become numbers; needed for a checkpoint of other weights. */
  readonly pixels?: Pick<Preprocessing, 'color' | 'mean' | 'std' | 'alignment'> | undefined
  /** Leave out the head. @default false */
  readonly withoutHead?: boolean | undefined
  /** The backbone alone, its names without `backbone.`, as insightface saves it. @default false */
  readonly bare?: boolean | undefined
  /** The network folded for use, without the head: see `deploy.ts`. A .safetensors file is a checkpoint then. @default false */
  readonly deploy?: boolean | undefined
}

export interface Conversion {
  readonly from: WeightsFormat
  readonly to: WeightsFormat
  readonly tensors: number
  /** The key map that translated the names. */
  readonly keyMap: string | undefined
}

/**
 * Reads weights from `input` and writes them to `output`. A checkpoint loses its optimizer: the result is for use, not
 * for going on with training.
 * @throws FacexError ERR_CHECKPOINT, ERR_CONFIG, ERR_USAGE
 */
export async function convertWeights(input: string, output: string, options: ConvertOptions = {}): Promise<Conversion> {
  const to = options.format ?? formatByName(output, options.deploy === true || options.pixels !== undefined)
  const weights = await loadWeights(input, { head: options.withoutHead !== true && options.bare !== true && options.deploy !== true })
  if (weights.meta !== undefined) checkPreprocessing(options.pixels ?? {}, weights.meta.preprocessing, input)
  else if (options.pixels !== undefined && to !== 'checkpoint') throw new FacexError('ERR_USAGE', `--color, --mean and --std have no place in a ${to} file: leave them out, or make a checkpoint with --format checkpoint`)
  const wanted = options.backbone ?? weights.meta?.backbone
  const fitted = wanted && (await fitNetwork(weights, wanted))
  const tensors = named(options.deploy === true ? deployed(fitted) : (fitted?.tensors ?? weights.backbone), weights.head, options.bare === true)
  await write(output, to, tensors, weights, options, fitted)
  return { from: weights.format, to, tensors: tensors.length, keyMap: fitted?.keyMap }
}

function deployed(network: FittedNetwork | undefined): readonly NativeTensor[] {
  if (network === undefined) throw new FacexError('ERR_USAGE', 'these weights do not say what they belong to: --deploy of them needs --backbone')
  if (network.deployed) return network.tensors
  return deploy(network.graph, network.tensors, { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 0, pixelScale: 1 }).tensors
}

function named(backbone: readonly NativeTensor[], head: readonly NativeTensor[], bare: boolean): NativeTensor[] {
  const prefixed = (prefix: string, tensors: readonly NativeTensor[]) => tensors.map((tensor) => ({ ...tensor, name: `${prefix}${tensor.name}` }))
  return bare ? [...backbone] : [...prefixed('backbone.', backbone), ...prefixed('head.', head)]
}

async function write(output: string, to: WeightsFormat, tensors: NativeTensor[], weights: Weights, options: ConvertOptions, network: FittedNetwork | undefined): Promise<void> {
  const { meta } = weights
  switch (to) {
    case 'torch':
      return writeTorchFile(output, { stateDict: tensors, values: { epoch: meta?.position.epoch ?? 0, batch_id: meta?.position.batch ?? 0 } })
    case 'safetensors':
      return writeSafetensors(output, tensors, { format: 'pt', ...describe(meta) })
    case 'checkpoint':
      if (options.bare === true) throw new FacexError('ERR_USAGE', 'a checkpoint names its parts: leave out --bare')
      return writeCheckpoint(output, { tensors, meta: meta === undefined ? importedMeta(network, options) : { ...meta, preprocessing: { ...meta.preprocessing, ...options.pixels } } })
  }
}

/** What other programs need to feed the network rightly. */
function describe(meta: CheckpointMeta | undefined): Record<string, string> {
  return meta === undefined ? {} : { backbone: JSON.stringify(meta.backbone), preprocessing: JSON.stringify(meta.preprocessing) }
}

/** Makes weights of another program describe themselves. */
function importedMeta(network: FittedNetwork | undefined, { pixels }: ConvertOptions): CheckpointMeta {
  if (network === undefined || pixels === undefined) {
    throw new FacexError('ERR_USAGE', 'these weights do not say what they belong to: a checkpoint of them needs --backbone, --color, --mean and --std')
  }
  const [, height, width] = network.input
  return {
    versions: { facex: packageVersion(), node: process.version, libtorch: '' },
    position: { step: 0, epoch: 0, batch: 0 },
    seed: 0,
    counters: {},
    config: {},
    preprocessing: { ...pixels, crop: cropFor(height, width), height, width },
    backbone: { name: network.name, config: { ...network.config } },
    metrics: {},
    state: {},
  }
}

const FORMATS: Readonly<Record<string, WeightsFormat>> = { '.pt': 'torch', '.pth': 'torch', '.ckpt': 'torch', '.safetensors': 'safetensors' }

/** @param described whether the output is to say what it belongs to */
function formatByName(output: string, described: boolean): WeightsFormat {
  const extension = path.extname(output).toLowerCase()
  if (described && extension === '.safetensors') return 'checkpoint'
  const format = FORMATS[extension]
  if (format === undefined) throw new FacexError('ERR_USAGE', `${output}: ${unknownName('extension', extension, Object.keys(FORMATS))}; --format names the format`)
  return format
}
