/**
 * What a training mode is: a name, a schema of its options, and a plan of networks, heads, step program and order of
 * the samples. The run loop never asks for a mode's name.
 *
 * A user's mode (`extensions: [./my-mode.mjs]`) is made with the same {@link defineMode}.
 * @module
 */
import { z } from 'zod'

import type { EpochOrder } from '../../data/samplers/index.js'
import type { Graph } from '../../graph/types.js'
import type { HeadPieces } from '../../heads/index.js'
import type { TrainedHead, TrainedNetwork } from '../../model/load-network.js'
import type { NativeTensor } from '../../native.js'
import type { Program } from '../program.js'

export type { TrainedHead, TrainedNetwork } from '../../model/load-network.js'

/** What the configuration has decided before the mode comes in. */
export interface ModeContext {
  /** The configured backbone. */
  readonly graph: Graph
  /** The configured head. */
  readonly head: HeadPieces
  /** Samples of one forward pass. */
  readonly batchSize: number
  /** Forward passes whose gradients make one step. */
  readonly accumulate: number
  /** The order of epochs: by the sampler of the configuration where it names one, else by the one named here. */
  order(sampler: string): EpochOrder
  /**
   * A trained network from a checkpoint or run folder, for a mode that learns from another: its graph and weights, and
   * with `head` what `loadHead` needs.
   * @throws FacexError ERR_CHECKPOINT when the file does not say which network it holds, or was trained on images
   * prepared otherwise than those of the run
   */
  loadNetwork(file: string, options?: { readonly head?: boolean }): Promise<TrainedNetwork>
  /**
   * The head that such a network was trained with, for a mode that needs its class centres.
   * @throws FacexError ERR_CHECKPOINT when it is not in the file, or was trained on other identities than the run's
   */
  loadHead(network: TrainedNetwork, file: string): TrainedHead
  /** How every step ends: clipping, optimizer, moving average. */
  readonly finish: Program
}

/** What a mode makes of it: everything that a run executes. */
export interface ModePlan {
  /** Networks by name. `backbone` is the one that is evaluated, exported and used later. */
  readonly networks: Readonly<Record<string, Graph>> & { readonly backbone: Graph }
  readonly heads: Readonly<Record<string, HeadPieces>>
  readonly program: Program
  /** Its `views` is the number of images that the program's batch takes. */
  readonly order: EpochOrder
  /** Networks whose parameters begin as those of `backbone`, imported weights included. */
  readonly copies: readonly string[]
  /** Weights that networks and heads begin with instead of random ones, by name of the network or head. */
  readonly weights?: Readonly<Record<string, readonly NativeTensor[]>>
}

/** Checked options of any mode. */
export type ModeConfig = Readonly<Record<string, unknown>>

export interface Mode {
  readonly kind: 'mode'
  /** As in `mode.name`. */
  readonly name: string
  /** One line for listings. */
  readonly summary: string
  /** Options beside `name`. Strict: unknown keys are errors. */
  readonly schema: z.ZodType<ModeConfig>
  create(config: ModeConfig, context: ModeContext): ModePlan | Promise<ModePlan>
}

/** Makes a table entry of a definition; `options` becomes a strict schema and the type of `create`'s first argument. */
export function defineMode<Options extends z.ZodRawShape>(definition: {
  readonly name: string
  readonly summary: string
  readonly options: Options
  readonly create: (config: z.output<z.ZodObject<Options>>, context: ModeContext) => ModePlan | Promise<ModePlan>
}): Mode {
  const { options, ...rest } = definition
  return { ...rest, kind: 'mode', schema: z.strictObject(options) } as unknown as Mode
}
