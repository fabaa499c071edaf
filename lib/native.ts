/**
 * The only door to the C++ addon: its complete type, and how it is found and loaded.
 *
 * Everything native is declared here and nowhere else guessed at. Long calls return promises and run on threads of
 * the addon; no call of the hot path enters JavaScript.
 * @module
 */
import { FacexError } from './errors.js'
import type { Graph } from './graph/types.js'
import type {
  NativeAugmentation,
  NativeBox,
  NativeInspection,
  NativeLoader,
  NativeLoaderSpec,
  NativePictureHashes,
  NativeRecordIndex,
  NativeSource,
  NativeSurface,
  NativeTensor,
} from './native-data.js'
import { loadAddon, remedyOf, type AddonAttempt } from './setup/addon.js'

export type * from './native-data.js'

/** One row of the addon's op table, compared with `lib/graph/ops.ts` by a test. */
export interface NativeOpRow {
  readonly name: string
  readonly minInputs: number
  readonly maxInputs: number
  /** Roles of state entries; optional ones end in `?`. */
  readonly params: readonly string[]
  readonly attrs: readonly string[]
  /** What backward reads of the forward pass. */
  readonly keeps: 'inputs' | 'output' | 'nothing'
}

export interface NativeInfo {
  /** Version of facex that the addon was built from. */
  readonly version: string
  readonly libtorch: string
  /** Threads of tensor operations inside one op. */
  readonly threads: number
  readonly cuda: NativeCuda
  /** Versions of the image libraries, such as `{ libjpeg: 'libjpeg-turbo 2.1.5', libpng: 'libpng 1.6.39' }`. */
  readonly images: Readonly<Record<string, string>>
}

/** CUDA as this process finds it. */
export interface NativeCuda {
  /** libtorch is a CUDA build. */
  readonly libtorch: boolean
  /** facex's own CUDA kernels are loaded, from the file `kernels`. */
  readonly built: boolean
  readonly kernels: string
  /** Everything is there, a device too. */
  readonly available: boolean
  /** Why it is not, and what to do about it; empty where it is. */
  readonly problem: string
  readonly remedy: string
  /** Several processes can train on GPUs together. */
  readonly nccl: boolean
  /** As CUDA numbers versions: 13000 is 13.0; 0 where unknown. */
  readonly driver: number
  readonly runtime: number
  /** Most bytes that libtorch has held at once on the first device, in this process. */
  readonly peakMemory: number
  readonly devices: readonly { readonly name: string; readonly capability: string; readonly memory: number }[]
}

export type NativeDevice = 'cpu' | 'cuda'
export type ComputeType = 'float32' | 'float64' | 'bfloat16' | 'float16'

export interface NativeNetworkOptions {
  readonly device: NativeDevice
  /** dtype of parameters and buffers. */
  readonly master: 'float32' | 'float64'
  /** dtype of activations. */
  readonly compute: ComputeType
  readonly pixelMean: number
  readonly pixelScale: number
  /** Nodes at which a stage of recomputation begins, the first left out (`lib/graph/recompute.ts`). */
  readonly stages?: readonly number[]
  /** Nodes whose value backward computes again from what the node keeps (`lib/graph/recompute.ts`). */
  readonly recomputed?: readonly number[]
}

/** A network with its tensors. Native object: call `dispose()` or let it be collected. */
export interface NativeNetwork {
  initialise(seed: number): void
  /** Copies of all state entries, in state-dict order. */
  state(): NativeTensor[]
  /** Copies the given entries in; names must exist and shapes agree. Other entries stay as they are. */
  load(tensors: readonly NativeTensor[]): void
  /**
   * Inference. `images` is uint8 [N, H, W, 3] in the network's colour order, or floating [N, C, H, W]; the result is
   * the output named `output`, as float32 or float64. Runs on a thread of the addon.
   */
  infer(images: NativeTensor, output: string): Promise<NativeTensor>
  /**
   * One train-mode forward and backward for tests: `grad` is d loss / d output. Dropout is off, or drawn from
   * `randomKey` when that is given. Returns the output and the gradient of every parameter that received one, by name.
   */
  forwardBackward(images: NativeTensor, output: string, grad: NativeTensor, randomKey?: number): { output: NativeTensor; grads: NativeTensor[] }
  /**
   * Seconds that every node takes in a training step on `images`, the smallest of several; running statistics move. Or,
   * on one thread, in `inference`, where backward is 0.
   */
  profile(images: NativeTensor, output: string, inference: boolean): NativeNodeTime[]
  dispose(): void
}

/** Time of one node in a pass, in seconds. */
export interface NativeNodeTime {
  readonly path: string
  readonly op: string
  readonly forward: number
  readonly backward: number
}

/** A head on its own, for tests and tools. */
export interface NativeHeadSpec {
  readonly name: string
  readonly featDim: number
  readonly numClass: number
  readonly values: Readonly<Record<string, number>>
  readonly choices: Readonly<Record<string, string>>
  /** Partial FC: share of the classes that a run sees, those of its batch always among them; 1 when absent. */
  readonly sampleRate?: number
  /** Where class centres and their optimizer state live, on `device` or in the CPU's memory; absent without centres. */
  readonly centres?: 'device' | 'host'
  /** Type that embeddings and centres are rounded to for their products; `dtype` when absent. */
  readonly gemm?: 'bfloat16'
  readonly dtype: 'float32' | 'float64'
  readonly device: NativeDevice
  /** The differentiable reference form instead of the fused kernel. */
  readonly reference?: boolean
  /** Of a head on its own: the processes that share its classes, or its batch. */
  readonly group?: NativeGroup | undefined
}

export interface NativeHead {
  initialise(seed: number): void
  state(): NativeTensor[]
  load(tensors: readonly NativeTensor[]): void
  run(request: { embeddings: NativeTensor; labels: NativeTensor; gallery?: NativeTensor; gradScale?: number; adapt?: boolean; randomKey?: number }): {
    loss: number
    extraLoss: number
    logits: NativeTensor
    gradEmbeddings: NativeTensor
    grads: NativeTensor[]
  }
  /**
   * One step of SGD on the head alone, in place and without copies to JavaScript; returns the loss. Momentum and decay
   * stay those of the first step.
   */
  step(request: { embeddings: NativeTensor; labels: NativeTensor; gallery?: NativeTensor; lr: number; momentum?: number; weightDecay?: number; randomKey?: number }): number
  /** Prototype heads: takes features [N, D] of identities [N] into the next slots of the queue. */
  enqueue(features: NativeTensor, labels: NativeTensor): void
}

/** Verbs of a training step; see native/training/program.h and lib/training/program.ts. */
export type NativeVerb =
  | { verb: 'batch'; images: string[]; labels: string }
  | { verb: 'forward'; network: string; input: string; outputs: Record<string, string>; gradient: boolean; batchStatistics: boolean; stochastic: boolean }
  | { verb: 'head'; head: string; embeddings: string; labels: string; loss: string; weight: number; gallery?: string; centresOf?: string }
  | { verb: 'backward' }
  | { verb: 'clip'; maxNorm: number; part: string }
  | { verb: 'optimizer' }
  | { verb: 'ema'; from: string; to: string; decay: number; copyBuffers: boolean }
  | { verb: 'enqueue'; head: string; candidates: string[]; labels: string; choice: 'random' | 'alternate' }

/** Entries of one optimizer group by full name, `backbone.conv1.conv.weight`. */
export interface NativeParameterGroup {
  readonly names: readonly string[]
  readonly lrMultiplier: number
  readonly weightDecay: number
}

/** Parameters in no group do not learn. */
export interface NativeOptimizerSpec {
  readonly name: 'sgd' | 'adamw'
  readonly values: Readonly<Record<string, number>>
  readonly groups: readonly NativeParameterGroup[]
}

/** The processes of a run, met through a store that rank 0 serves. All ranks make the same calls in the same order. */
export interface NativeGroup {
  /** Meets the others; ERR_DISTRIBUTED says who is missing or does not fit. */
  join(): Promise<void>
  /** Short texts of all ranks, in order. */
  exchange(text: string): Promise<string[]>
  /** Tensors [n, ...] of all ranks behind each other. */
  allGather(tensor: NativeTensor): Promise<NativeTensor>
  /** Tells all ranks why this one ends; what they end with is the failure of the first that had one, `rank N has failed: ...`. */
  reportFailure(message: string): Promise<string>
  traffic(): NativeTraffic
  leave(): Promise<void>
}

/** Bytes of tensors handed to each kind of operation by this rank, and seconds waited for results. */
export interface NativeTraffic {
  readonly allReduced: number
  readonly gathered: number
  readonly scattered: number
  readonly other: number
  readonly operations: number
  readonly waitSeconds: number
}

export interface NativeGroupSpec {
  readonly rank: number
  readonly size: number
  readonly master: string
  readonly port: number
  /** Whether rank 0 serves the store itself. */
  readonly serves: boolean
  /** Tells restarts apart where the store outlives them. */
  readonly attempt: string
  readonly joinSeconds: number
  readonly operationSeconds: number
  readonly silenceSeconds: number
}

export interface NativeTrainerSpec {
  readonly networks: Readonly<Record<string, { graph: Graph; options: NativeNetworkOptions }>>
  readonly heads: Readonly<Record<string, NativeHeadSpec>>
  readonly program: readonly NativeVerb[]
  readonly seed: number
  /** What a non-finite loss does: end the run with ERR_NON_FINITE, or skip the update and count it. */
  readonly onNonFinite: 'stop' | 'skip'
  /** Passes with gradient go through CUDA graphs once a few steps have run; ERR_CONFIG where the program cannot be recorded. */
  readonly cudaGraphs?: boolean
  /** The processes that train together. Every head then shares its classes, or its batch, between them. */
  readonly group?: NativeGroup | undefined
  /** With a group: batch norm takes its statistics over all ranks. */
  readonly synchroniseStatistics?: boolean
  /** With a group: gradients travel in pieces of at least so many bytes. */
  readonly bucketBytes?: number
  /** With a group: gradients travel as bfloat16. */
  readonly bfloat16Gradients?: boolean
}

/** What the training thread reports, at most every `progressMs` and at the end of a run of steps. */
export interface NativeProgress {
  /** Steps finished since the trainer was made or its state loaded. */
  readonly step: number
  /** Mean loss of the steps since the previous report, and how many those were. */
  readonly loss: number
  readonly steps: number
  readonly lr: number
  readonly images: number
  readonly seconds: number
  /** Seconds of those spent waiting for data. */
  readonly waitSeconds: number
}

export interface NativeTrainer {
  /** Every parameter of every network and head, by full name; with a group the shape of the whole. */
  parameters(): { readonly name: string; readonly shape: readonly number[] }[]
  /** The same for everything in {@link state}. */
  entries(): { readonly name: string; readonly shape: readonly number[] }[]
  /** The parameters of the network `from` become those of `to`, a network of the same graph; buffers stay. */
  copyParameters(from: string, to: string): void
  /** Must come before the first {@link run}; slots and counters start anew. */
  setOptimizer(optimizer: NativeOptimizerSpec): void
  initialise(seed: number): void
  /**
   * Everything that training changes: `backbone.*`, `head.*`, `optimizer.<slot>.<parameter>`; copies. With a
   * group all ranks must ask, and rank 0 alone receives it, whole.
   * @param makeRoom hands what steps need for themselves back to the system first: for callers that train again only
   *   when the copies are gone. The next step then has to ask for it again, page by page.
   */
  state(makeRoom?: boolean): Promise<NativeTensor[]>
  /**
   * Frees the tensors of a `state()` at once, instead of whenever garbage is collected; they are empty afterwards.
   * @param makeRoom hands their memory back to the system, instead of keeping it for the next copies
   */
  releaseState(tensors: readonly NativeTensor[], makeRoom?: boolean): void
  load(tensors: readonly NativeTensor[]): void
  /** With a group: running statistics of all ranks become those of rank 0. */
  synchroniseBuffers(): Promise<void>
  /** Scalar training state: step counter, loss scaler and such; goes into the checkpoint's metadata. */
  counters(): Record<string, number>
  loadCounters(counters: Record<string, number>): void
  /**
   * Runs `lr.length` steps on the training thread with batches of `loader` and the learning rate of each step.
   * Resolves with the number of steps done: fewer than asked for after {@link stop}.
   */
  run(
    request: { loader: NativeLoader | NativeMemoryBatches; lr: Float64Array; progressMs: number },
    onProgress: (progress: NativeProgress) => void,
  ): Promise<{ steps: number; losses: Float64Array }>
  /** Ends the current run after the step in flight. */
  stop(): void
  /** A network of the trainer, sharing its tensors: for evaluation between runs. */
  network(name: string): NativeNetwork
  dispose(): void
}

/** Batches given as tensors instead of files: for tests and for users with data of their own. */
export interface NativeMemoryBatches {
  push(batch: { images: readonly NativeTensor[]; labels: NativeTensor }): void
}

/**
 * The k most similar gallery rows of every probe, by cosine. The gallery is added in pieces of any size, which do not
 * change the result in any bit, and is never held. Rows are brought to unit length; one that is zero or not finite is
 * ERR_NON_FINITE.
 */
export interface NativeTopK {
  /** The next rows of the gallery, float32 [G, D]. Pieces are taken in the order of the calls that were waited for. */
  add(gallery: NativeTensor): Promise<void>
  /** float32 and int32 [P, k], best first, equal scores by row; row -1 where the gallery is smaller than k. */
  finish(): Promise<{ readonly scores: NativeTensor; readonly rows: NativeTensor }>
}

/** The addon's exports. */
export interface Addon {
  info(): NativeInfo
  setThreads(threads: number): void
  /** Whether products of float32 on CUDA may round their operands to TF32. */
  allowTf32(allowed: boolean): void
  opTable(): NativeOpRow[]
  headNames(): string[]
  Network: new (graph: Graph, options: NativeNetworkOptions) => NativeNetwork
  Head: new (spec: NativeHeadSpec) => NativeHead
  Loader: new (spec: NativeLoaderSpec) => NativeLoader
  MemoryBatches: new () => NativeMemoryBatches
  /** `probes` is float32 [P, D]. */
  TopK: new (probes: NativeTensor, k: number) => NativeTopK
  Group: new (spec: NativeGroupSpec) => NativeGroup
  Trainer: new (spec: NativeTrainerSpec) => NativeTrainer
  /** Ends all runs after the step in flight, and waits for that; nothing can be run afterwards. */
  endRuns(): void
  /** Decodes JPEG or PNG beside JavaScript: uint8 [H, W, 3]. Rejects with ERR_DATA and the reason. */
  decodeImage(file: Uint8Array, color: 'bgr' | 'rgb'): Promise<NativeTensor>
  /** Bilinear, half-pixel centres, pixel for pixel as OpenCV; of the part inside `box` when given. */
  resizeImage(image: NativeTensor, height: number, width: number, box?: NativeBox): NativeTensor
  /** Bilinear, border 0, as OpenCV's; `matrix` is a row-major 2x3 that maps source to destination. */
  warpAffine(image: NativeTensor, matrix: readonly number[], height: number, width: number): NativeTensor
  /** A copy of the RGB image with the surface drawn over it. */
  drawSurface(image: NativeTensor, surface: NativeSurface): Promise<NativeTensor>
  /** A copy of the image after the augmentations, drawn from `seed`. */
  augmentImage(image: NativeTensor, augmentations: readonly NativeAugmentation[], color: 'bgr' | 'rgb', seed: number): NativeTensor
  augmentationNames(): string[]
  /** Reads the header of every image on `threads` threads, or decodes it completely with `full`. */
  inspectImages(source: NativeSource, options: { threads: number; full: boolean }): Promise<NativeInspection>
  /**
   * A perceptual hash of every image: 256 bits as eight numbers each, zeros where the image is bad. Pictures that differ
   * by size, compression or a little brightness only differ in few bits.
   */
  hashImages(source: NativeSource, threads: number): Promise<NativePictureHashes>
  /**
   * Finds the images of a RecordIO file (.rec) by its index (.idx), or by walking through it when `index` is ''. A header
   * record as in insightface's sets is honoured.
   */
  indexRecords(file: string, index: string): Promise<NativeRecordIndex>
  /** The encoded image of the record at `position`. */
  readRecord(file: string, position: number): Buffer
  /** Takes an exclusive lock on the file at `path` (created if needed); undefined when another process holds it. */
  lockFile(path: string): { release(): void } | undefined
}

/** Tries each place until one works; the last attempt is the one that did, if any. */
export function findAddon(): { addon?: Addon; attempts: readonly AddonAttempt[] } {
  const { exports, attempts } = loadAddon()
  return { addon: exports as Addon | undefined, attempts }
}

let loaded: Addon | undefined

/**
 * The addon, loaded at the first call.
 * @throws FacexError ERR_SETUP that lists every place tried, with the reason for each, and what to do
 */
export function addon(): Addon {
  if (loaded !== undefined) return loaded
  const { addon: found, attempts } = findAddon()
  if (found === undefined) {
    const tried = attempts.map(({ place, problem }) => `  ${place}: ${problem}`)
    throw new FacexError('ERR_SETUP', ['The native addon of facex could not be loaded. Tried:', ...tried, remedyOf(attempts)].join('\n'))
  }
  // process.exit() and an uncaught exception would otherwise pull libtorch away from under a training thread, which
  // crashes: Node calls an addon's own hooks only when an environment ends by itself.
  process.once('exit', () => found.endRuns())
  loaded = found
  return loaded
}
