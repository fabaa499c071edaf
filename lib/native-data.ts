/**
 * What the addon takes and gives where images are concerned: tensors, sources, loaders, surfaces. Types only; the addon
 * itself is in native.ts, which exports these too.
 * @module
 */
/** Row-major data of one tensor crossing the border. `data` is the raw little-endian content. */
export interface NativeTensor {
  readonly name: string
  readonly dtype: 'float32' | 'float64' | 'bfloat16' | 'float16' | 'int64' | 'int32' | 'uint8'
  readonly shape: readonly number[]
  readonly data: ArrayBuffer
}

/** Where a loader's images come from: files named one per sample. */
export interface NativeFileSource {
  readonly kind: 'files'
  /** Folder that relative paths start from; '' is the working directory. */
  readonly root: string
  /** UTF-8 paths, each ended by a newline byte; millions of paths stay one buffer. */
  readonly paths: Uint8Array
  /** Class of each sample. */
  readonly labels: Int32Array
  /** The list that declares the samples, for messages, and its lines without a sample, ascending from 1. */
  readonly list?: string
  readonly skippedLines?: Uint32Array
}

/** Images of a RecordIO file, at the positions that `indexRecords` found. */
export interface NativeRecordSource {
  readonly kind: 'records'
  readonly file: string
  readonly positions: Float64Array
  readonly labels: Int32Array
}

/** The image records of a RecordIO file. */
export interface NativeRecordIndex {
  readonly positions: Float64Array
  readonly labels: Int32Array
  readonly problems: readonly { readonly position: number; readonly reason: string }[]
}

/** Several sources behind each other, with labels over all of them. */
export interface NativeMixedSource {
  readonly kind: 'mixed'
  readonly parts: readonly NativeSource[]
  readonly labels: Int32Array
}

export type NativeSource = NativeFileSource | NativeRecordSource | NativeMixedSource

export interface NativeAugmentation {
  readonly name: string
  readonly probability: number
  readonly values: Readonly<Record<string, number>>
}

export interface NativeLoaderSpec {
  readonly source: NativeSource
  /** Size of the images handed out; files of another size are resized. */
  readonly height: number
  readonly width: number
  /**
   * Rows that a file is brought to before the upper `height` of them are kept (training on the upper half of faces);
   * `height` when absent.
   */
  readonly fullHeight?: number
  readonly color: 'bgr' | 'rgb'
  readonly batchSize: number
  /** Hand out only part `share` of `shares` equal parts of each batch: what one of several processes trains on. */
  readonly share?: number
  readonly shares?: number
  /** Images of one sample: 1, or 2 for semi-siamese pairs. */
  readonly views: number
  readonly threads: number
  /** Batches decoded ahead of the consumer. */
  readonly prefetch: number
  /** Where a trainer gets the images; `cuda` copies each batch from pinned memory as soon as it is decoded. `cpu` when absent. */
  readonly device?: 'cpu' | 'cuda'
  readonly seed: number
  readonly augmentations: readonly NativeAugmentation[]
  /** `skip` replaces an image that does not decode by the next good one of the source, counted and reported. */
  readonly onBadImage: 'fail' | 'skip'
}

export interface NativeBadImage {
  readonly path: string
  readonly reason: string
}

export interface NativeLoader {
  /**
   * Starts an epoch: `order` holds sample indices (views of one sample side by side), the first batch handed out is
   * number `firstBatch`. A last batch shorter than `batchSize` is dropped unless `keepLast`. Randomness depends on
   * (seed, epoch, position in the order).
   */
  begin(order: Uint32Array, epoch: number, firstBatch: number, keepLast?: boolean): void
  /** Next batch as tensors, for tests, previews and extraction; undefined at the end of the epoch. */
  next(): Promise<{ images: NativeTensor[]; labels: NativeTensor; indices: Uint32Array } | undefined>
  /** Takes all batches that are left and drops them: the loader's speed by itself. Resolves with their images. */
  drain(): Promise<number>
  /** Bad images met since the last call. */
  takeBadImages(): NativeBadImage[]
  dispose(): void
}

/** What a look at the files of a source found. Sizes are 0 where the image is bad. */
export interface NativeInspection {
  readonly heights: Uint16Array
  readonly widths: Uint16Array
  readonly problems: readonly { readonly index: number; readonly reason: string }[]
}

export interface NativePictureHashes {
  /** Eight numbers an image. */
  readonly words: Uint32Array
  readonly problems: NativeInspection['problems']
}

/** Part of an image, in pixels; bottom and right are exclusive. */
export interface NativeBox {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** A textured surface of triangles over an image, see native/data/surface.h. */
export interface NativeSurface {
  /** x and y in pixels, z towards the viewer in any unit: three numbers a vertex. */
  readonly positions: Float32Array
  /** Place in the texture, 0 to 1 across and down: two numbers a vertex. */
  readonly places: Float32Array
  /** Factor of the texture's colour: one number a vertex. */
  readonly light: Float32Array
  /** Three vertices each; seen from the front, they turn clockwise on the image. */
  readonly triangles: Uint32Array
  /** uint8 [H, W, 4], RGBA. Transparent parts still hide what lies behind them. */
  readonly texture: NativeTensor
  /** Standard deviation in pixels of the blur of surface and edge. */
  readonly softness: number
  /** Share of the light that the shadow around the edge takes, and how far it reaches in pixels. */
  readonly shadow: number
  readonly shadowReach: number
  /** Standard deviation of the noise on the surface, in levels. */
  readonly grain: number
  readonly seed: number
  /** Shades of grey only, for pictures without colour. */
  readonly grey: boolean
}
