/**
 * The options of every command that uses a trained model: which weights, what completes a file that does not describe
 * itself, and where to compute.
 * @module
 */
import { availableParallelism } from 'node:os'

import { deviceSchema } from '../config/run.js'
import { Peers } from '../distributed/peers.js'
import { FacexError, unknownName } from '../errors.js'
import type { ImageEmbedder } from '../evaluation/evaluate.js'
import { JoinedEmbedder } from '../evaluation/joined-embedder.js'
import { shardedEmbedder } from '../evaluation/sharded-embedder.js'
import { loadModel, type LoadOptions, type Model } from '../model/model.js'
import type { NativeDevice } from '../native.js'
import { chooseDevice } from '../training/device.js'
import { wholeNumber, type OptionTable, type OptionValues } from './options.js'

export const weightsOptions = {
  weights: { type: 'string', multiple: true },
  backbone: { type: 'string' },
  set: { type: 'string', multiple: true },
  color: { type: 'string' },
  mean: { type: 'string' },
  std: { type: 'string' },
  device: { type: 'string' },
  threads: { type: 'string' },
  batch_size: { type: 'string' },
} as const satisfies OptionTable

export const weightsUsage = `--weights FILE     facex checkpoint, safetensors or PyTorch file; given twice: both models' embeddings side by side
--backbone NAME    the network of a file that does not say it, with --set KEY=VALUE for its options
--color rgb|bgr    colour order of such a file, with --mean 127.5 and --std 128
--device NAME      cpu, cuda or auto (the default)
--threads N        threads that compute; all cores by default
--batch_size N     images computed at once, 64 by default
`

/** One model or several joined, as one thing that embeds. */
export interface OpenedWeights extends ImageEmbedder {
  readonly models: readonly Model[]
  dispose(): void
}

/**
 * Loads what the options describe; with several processes they share the images. The caller disposes of it.
 * @throws FacexError ERR_USAGE for wrong options; ERR_CHECKPOINT for a file that does not fit
 */
export async function openWeights(values: OptionValues<typeof weightsOptions>, peers = new Peers()): Promise<OpenedWeights> {
  const options = loadOptions(values, peers)
  const files = values.weights ?? []
  required('weights', files[0])
  const models: Model[] = []
  const dispose = () => models.forEach((model) => model.dispose())
  try {
    for (const file of files) models.push(await loadModel(file, options))
  } catch (error) {
    dispose()
    throw error
  }
  const embedder = shardedEmbedder(models.length === 1 ? models[0]! : new JoinedEmbedder(models), peers)
  return { models, size: embedder.size, embed: (images, settings) => embedder.embed(images, settings), dispose }
}

function loadOptions(values: OptionValues<typeof weightsOptions>, { localSize }: Peers): LoadOptions {
  const device = deviceOption(values.device ?? 'auto')
  if (values.color !== undefined && values.color !== 'rgb' && values.color !== 'bgr') {
    throw new FacexError('ERR_USAGE', `--color: expected rgb or bgr, received "${values.color}"`)
  }
  return {
    device,
    threads: wholeNumber('threads', values.threads) ?? (localSize > 1 ? Math.max(1, Math.floor(availableParallelism() / localSize)) : undefined),
    backbone: values.backbone,
    set: values.set,
    preprocessing: { color: values.color, mean: decimal('mean', values.mean), std: decimal('std', values.std) },
  }
}

/**
 * What `--device` chooses.
 * @throws FacexError ERR_USAGE for another name; ERR_SETUP for cuda where that cannot be used
 */
export function deviceOption(value: string): NativeDevice {
  const devices = deviceSchema.options
  const device = devices.find((name) => name === value)
  if (device === undefined) throw new FacexError('ERR_USAGE', `--device: ${unknownName('device', value, devices)}`)
  return chooseDevice(device).device
}

/** The value of an option that must be there. */
export function required(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new FacexError('ERR_USAGE', `--${name} is missing (--help explains)`)
  return value
}

function decimal(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new FacexError('ERR_USAGE', `--${name}: expected a number, received "${text}"`)
  return value
}
