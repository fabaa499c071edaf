/**
 * The vocabulary of training steps. A mode declares its step as a list of verbs; the addon checks the list once and
 * then runs it for every step without calling back. Values live in one flat table of names:
 *
 * ```ts
 * const program = [
 *   batch(['images']),
 *   forward('backbone', 'images', 'embeddings'),
 *   loss('head', 'embeddings'),
 *   backward(),
 *   update(),
 * ]
 * ```
 *
 * The loss of a step is the weighted sum over its `loss` verbs. Gradients add up until `update`, so gradient
 * accumulation is the first verbs repeated, each loss with its share: see {@link accumulate}.
 * @module
 */
import type { NativeVerb } from '../native.js'

export type Verb = NativeVerb
export type Program = readonly Verb[]

/** Takes the next batch: one name an image of the sample (two for pairs), and the name of the labels. */
export function batch(images: readonly string[], labels = 'labels'): Verb {
  return { verb: 'batch', images: [...images], labels }
}

export interface ForwardOptions {
  /** Output of the graph; a backbone has `embedding`. */
  readonly outputName?: string
  /** Further outputs of the graph, each with the name that its value gets. */
  readonly also?: Readonly<Record<string, string>>
  /** Keep what backward needs. @default true */
  readonly gradient?: boolean
  /** Batch norm normalises with, and updates, batch statistics. @default true */
  readonly batchStatistics?: boolean
  /** Dropout and drop path are active. @default the value of `gradient` */
  readonly stochastic?: boolean
}

/** Runs `network` over the images named `input`; its result gets the name `output`. */
export function forward(network: string, input: string, output: string, options: ForwardOptions = {}): Verb {
  const { outputName = 'embedding', also = {}, gradient = true, batchStatistics = true, stochastic = gradient } = options
  return { verb: 'forward', network, input, outputs: { [outputName]: output, ...also }, gradient, batchStatistics, stochastic }
}

export interface LossOptions {
  readonly labels?: string
  /** Name of the loss in the table of values. */
  readonly name?: string
  /** Share of this loss in the loss of the step. */
  readonly weight?: number
  /** What the embeddings are compared with, row by row: gallery features of prototype heads, a teacher's embeddings. */
  readonly gallery?: string
  /** Head whose class centres this one scores against, where it has none of its own: logit distillation. */
  readonly centresOf?: string
}

/** Loss of a head on embeddings [N, D], and the gradients that it sends back. */
export function loss(head: string, embeddings: string, options: LossOptions = {}): Verb {
  const { labels = 'labels', name = 'loss', weight = 1, ...rest } = options
  return { verb: 'head', head, embeddings, labels, loss: name, weight, ...rest }
}

/**
 * Puts the features of one of the `candidates` into the queue of a prototype head, chosen at random for each step or
 * `alternate`ly. Belongs after the losses of the step, whose galleries stood in the same slots.
 */
export function enqueue(head: string, candidates: readonly string[], options: { labels?: string; choice?: 'random' | 'alternate' } = {}): Verb {
  return { verb: 'enqueue', head, candidates: [...candidates], labels: options.labels ?? 'labels', choice: options.choice ?? 'random' }
}

/** Gradients of all losses so far through every forward that keeps them, last first. */
export function backward(): Verb {
  return { verb: 'backward' }
}

/** Scales all gradients, or those of one network or head, so that their common L2 norm is at most `maxNorm`. */
export function clip(maxNorm: number, part = ''): Verb {
  return { verb: 'clip', maxNorm, part }
}

/** One optimizer step; gradients are cleared after it. */
export function update(): Verb {
  return { verb: 'optimizer' }
}

/** Parameters of `to` = decay * to + (1 - decay) * from; `buffers` also copies running statistics. */
export function average(from: string, to: string, decay: number, options: { buffers?: boolean } = {}): Verb {
  return { verb: 'ema', from, to, decay, copyBuffers: options.buffers ?? false }
}

/** `count` times the verbs of a micro-batch, whose losses take `share` = 1 / count as their weight. */
export function accumulate(count: number, microBatch: (share: number) => Program): Program {
  return Array.from({ length: count }, () => microBatch(1 / count)).flat()
}
