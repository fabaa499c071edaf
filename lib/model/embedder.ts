/**
 * Images to embeddings: the native loader or decoder in front of a network, with the preprocessing that its weights
 * were trained with. N images, D embedding.
 * @module
 */
import { FacexError, fromNative, messageOf } from '../errors.js'
import { addon, type NativeNetwork, type NativeTensor } from '../native.js'
import { rowsOfWholeFace, type Preprocessing } from './preprocessing.js'

export interface EmbedOptions {
  /** Images of one inference pass. @default 64 */
  readonly batchSize?: number
  /** Add the embedding of the mirrored image, as insightface's protocol does. @default false */
  readonly flip?: boolean
  /** Ends early with ERR_ABORTED. */
  readonly signal?: AbortSignal
  /** Number of the first image in messages about contents, which have no path. @default 0 */
  readonly firstNumber?: number
  /** Called after every batch. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface EmbedderOptions {
  readonly preprocessing: Preprocessing
  /** Length D of an embedding. */
  readonly size: number
  /** Threads that decode. @default 2 */
  readonly threads?: number
}

export class Embedder {
  /** Length D of an embedding. */
  readonly size: number
  readonly preprocessing: Preprocessing
  readonly #network: NativeNetwork
  readonly #threads: number

  constructor(network: NativeNetwork, options: EmbedderOptions) {
    this.#network = network
    this.size = options.size
    this.preprocessing = options.preprocessing
    this.#threads = options.threads ?? 2
  }

  /**
   * Embeddings of aligned face images, row-major [N, D], not normalised, in the order given.
   * @param images paths of JPEG or PNG files, or their contents
   * @throws FacexError ERR_DATA naming the first image that does not decode; ERR_ABORTED
   */
  async embed(images: readonly string[] | readonly Uint8Array[], options: EmbedOptions = {}): Promise<Float32Array> {
    const { batchSize = 64, flip = false, signal, firstNumber = 0, onProgress } = options
    const result = new Float32Array(images.length * this.size)
    let done = 0
    try {
      for await (const batch of this.#batches(images, batchSize, firstNumber)) {
        if (signal?.aborted) throw new FacexError('ERR_ABORTED', `stopped after ${firstNumber + done} images`)
        result.set(await this.#infer(batch, flip), done * this.size)
        done += batch.shape[0]!
        onProgress?.(done, images.length)
      }
    } catch (error) {
      throw fromNative(error)
    }
    return result
  }

  /** Embeddings of one batch, uint8 [N, H, W, 3]. */
  async #infer(batch: NativeTensor, flip: boolean): Promise<Float32Array> {
    const embeddings = new Float32Array((await this.#network.infer(batch, 'embedding')).data)
    if (!flip) return embeddings
    const mirrored = new Float32Array((await this.#network.infer(mirror(batch), 'embedding')).data)
    return embeddings.map((value, i) => value + mirrored[i]!)
  }

  #batches(images: readonly string[] | readonly Uint8Array[], batchSize: number, firstNumber: number): AsyncIterable<NativeTensor> {
    return areFiles(images) ? this.#fileBatches(images, batchSize) : this.#memoryBatches(images, batchSize, firstNumber)
  }

  async *#fileBatches(files: readonly string[], batchSize: number): AsyncIterable<NativeTensor> {
    if (files.length === 0) return
    const { color, height, width } = this.preprocessing
    const loader = new (addon().Loader)({
      source: { kind: 'files', root: '', paths: Buffer.from(files.map((file) => `${file}\n`).join('')), labels: new Int32Array(files.length) },
      height,
      width,
      fullHeight: rowsOfWholeFace(this.preprocessing),
      color,
      batchSize,
      views: 1,
      threads: this.#threads,
      prefetch: 3,
      seed: 0,
      augmentations: [],
      onBadImage: 'fail',
    })
    try {
      loader.begin(Uint32Array.from(files, (_, i) => i), 0, 0, true)
      for (let batch = await loader.next(); batch !== undefined; batch = await loader.next()) yield batch.images[0]!
    } finally {
      loader.dispose()
    }
  }

  async *#memoryBatches(images: readonly Uint8Array[], batchSize: number, firstNumber: number): AsyncIterable<NativeTensor> {
    const { color, height, width } = this.preprocessing
    const bytes = height * width * 3
    for (let first = 0; first < images.length; first += batchSize) {
      const part = images.slice(first, first + batchSize)
      const data = new Uint8Array(part.length * bytes)
      const place = async (file: Uint8Array, i: number) => {
        const decoded = await decode(file, color, firstNumber + first + i)
        const full = addon().resizeImage(decoded, rowsOfWholeFace(this.preprocessing), width)
        data.set(new Uint8Array(full.data, 0, bytes), i * bytes)
      }
      // All of them, then the first in order: Promise.all would give the one that failed soonest.
      for (const result of await Promise.allSettled(part.map(place))) if (result.status === 'rejected') throw result.reason
      yield { name: 'images', dtype: 'uint8', shape: [part.length, height, width, 3], data: data.buffer }
    }
  }
}

/** @throws FacexError ERR_DATA with the number of an image that does not decode */
async function decode(file: Uint8Array, color: 'bgr' | 'rgb', number: number): Promise<NativeTensor> {
  try {
    return await addon().decodeImage(file, color)
  } catch (cause) {
    throw new FacexError('ERR_DATA', `image ${number}: ${messageOf(cause)}`, { cause })
  }
}

function areFiles(images: readonly string[] | readonly Uint8Array[]): images is readonly string[] {
  const files = images.filter((image) => typeof image === 'string').length
  if (files !== 0 && files !== images.length) {
    throw new FacexError('ERR_DATA', 'embed: expected only paths or only file contents, received a mixture')
  }
  return files === images.length
}

/** Every row of uint8 [N, H, W, 3] from right to left. */
function mirror(batch: NativeTensor): NativeTensor {
  const [, , width, channels] = batch.shape as [number, number, number, number]
  const source = new Uint8Array(batch.data)
  const target = new Uint8Array(source.length)
  for (let row = 0; row < source.length; row += width * channels) {
    for (let x = 0; x < width; x++) {
      const from = row + x * channels
      const to = row + (width - 1 - x) * channels
      for (let c = 0; c < channels; c++) target[to + c] = source[from + c]!
    }
  }
  return { ...batch, data: target.buffer }
}
