/**
 * A trained model to use: aligned faces in, embeddings out.
 * @module
 */
import { FacexError } from '../errors.js'
import { addon, type NativeDevice, type NativeNetwork } from '../native.js'
import { embeddingSize } from './build.js'
import { Embedder, type EmbedderOptions } from './embedder.js'
import type { CheckpointMeta } from './checkpoint-meta.js'
import { inferenceNetwork } from './inference.js'
import { fitNetwork, namedBackbone, type NamedBackbone } from './network.js'
import { checkPreprocessing, cropFor, type Preprocessing } from './preprocessing.js'
import { loadWeights } from './weights.js'

export interface LoadOptions {
  /** @default cpu */
  readonly device?: NativeDevice
  /** Threads of tensor operations; of the whole process. */
  readonly threads?: number
  /** Network of a file that does not say it: a name of `facex backbones` or an entry of backbone_conf.yaml. */
  readonly backbone?: string
  /** Options of that network, `key=value`. */
  readonly set?: readonly string[]
  /** Pixels of a file that does not say them; a file that does must agree. */
  readonly preprocessing?: { readonly color?: 'rgb' | 'bgr'; readonly mean?: number; readonly std?: number }
}

/** A loaded model. Call {@link dispose} when done with it. */
export class Model extends Embedder {
  /** Name of the backbone. */
  readonly backbone: string
  readonly #network: NativeNetwork

  constructor(network: NativeNetwork, options: EmbedderOptions & { readonly backbone: string }) {
    super(network, options)
    this.#network = network
    this.backbone = options.backbone
  }

  /** Frees the weights; later calls throw ERR_DISPOSED. */
  dispose(): void {
    this.#network.dispose()
  }
}

/**
 * Loads the backbone of a checkpoint or weights file.
 * @throws FacexError ERR_CHECKPOINT when the file is damaged, does not say enough, or is of another network
 */
export async function loadModel(file: string, options: LoadOptions = {}): Promise<Model> {
  const weights = await loadWeights(file)
  const { meta } = weights
  const { name, graph, tensors, input } = await fitNetwork(weights, meta?.backbone ?? backboneOf(file, options))
  const preprocessing = pixelsOf(file, meta, options, input)
  if (options.threads !== undefined) addon().setThreads(options.threads)
  const network = inferenceNetwork(graph, tensors, {
    device: options.device ?? 'cpu',
    master: 'float32',
    compute: 'float32',
    pixelMean: preprocessing.mean,
    pixelScale: 1 / preprocessing.std,
  })
  return new Model(network, { backbone: name, preprocessing, size: embeddingSize(graph) })
}

function backboneOf(file: string, { backbone, set }: LoadOptions): NamedBackbone {
  if (backbone === undefined) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: does not say which network it belongs to: name it with --backbone (and --set key=value for its options)`)
  }
  return namedBackbone(backbone, set)
}

function pixelsOf(file: string, meta: CheckpointMeta | undefined, { preprocessing = {} }: LoadOptions, [, height, width]: readonly number[]): Preprocessing {
  if (meta !== undefined) {
    checkPreprocessing(preprocessing, meta.preprocessing, file)
    return meta.preprocessing
  }
  const { color, mean = 127.5, std = 128 } = preprocessing
  if (color === undefined) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: does not say its colour order, and the wrong one works badly without an error: give --color rgb or --color bgr`)
  }
  return { color, mean, std, crop: cropFor(height!, width!), height: height!, width: width! }
}
