/**
 * What a backbone is: a name, a schema of its options, and the tree of layers that they make.
 *
 * A user's backbone (`extensions: [./my-net.mjs]`) is made with the same {@link defineBackbone}.
 * @module
 */
import { z } from 'zod'

import type { Module } from '../layers/module.js'

/** Channels, height and width of the images that a network takes. */
export type ImageShape = readonly [channels: number, height: number, width: number]

export interface Backbone {
  /** Tells the exports of an extension apart. */
  readonly kind: 'backbone'
  /** As in backbone_conf.yaml. */
  readonly name: string
  /** One line for `facex backbones`. */
  readonly summary: string
  /** Where the architecture comes from, such as `arXiv:1801.07698`. */
  readonly paper?: string
  /** Strict: unknown keys are errors. Keys and defaults are FaceX-Zoo's where it has the network. */
  readonly schema: z.ZodType<BackboneConfig>
  /** Other names that configurations have for some keys. */
  readonly aliases?: Readonly<Record<string, string>>
  /** The images that a configuration is made for when the run does not name a size. */
  input(config: BackboneConfig): ImageShape
  /** The network with its parameters declared; `forward` takes the images and returns the embedding [D]. */
  create(config: BackboneConfig, input: ImageShape): Module
}

/** Checked options of any backbone. */
export type BackboneConfig = Readonly<Record<string, unknown>>

/** A backbone as its file writes it, with the type of its options. */
export interface BackboneDefinition<Options extends z.ZodRawShape> {
  readonly name: string
  readonly summary: string
  readonly paper?: string
  readonly options: Options
  readonly aliases?: Readonly<Record<string, string>>
  /** What is wrong with a configuration whose options are right one by one; undefined when nothing is. */
  refine?(config: z.output<z.ZodObject<Options>>): string | undefined
  /** 112 x 112, or what `out_h` and `out_w` say, when left out. */
  input?(config: z.output<z.ZodObject<Options>>): ImageShape
  create(config: z.output<z.ZodObject<Options>>, input: ImageShape): Module
}

/** Makes a table entry of a definition; `options` becomes a strict schema. */
export function defineBackbone<Options extends z.ZodRawShape>(definition: BackboneDefinition<Options>): Backbone {
  const { options, refine, input = inputForOutput, ...rest } = definition
  const checked = z.strictObject(options).superRefine((config, context) => {
    const problem = refine?.(config as z.output<z.ZodObject<Options>>)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
  return { ...rest, kind: 'backbone', input, schema: checked } as unknown as Backbone
}

/** Keys of networks that end in a fully connected layer over the last feature map. */
export const OUTPUT_OPTIONS = {
  feat_dim: z.int().min(1).default(512).describe('length D of the embedding'),
  out_h: z.int().min(1).default(7).describe('height of the last feature map; 4 for the upper half of the face'),
  out_w: z.int().min(1).default(7).describe('width of the last feature map'),
}

/** A probability below 1, for dropout. */
export const ratio = (value: number, what: string) => z.number().min(0).lt(1).default(value).describe(what)

/** The networks reduce by 16; the upper half of a 112 x 112 face is its first 60 rows, which end as 4. */
export function inputForOutput(config: BackboneConfig): ImageShape {
  const extent = (out: unknown) => (typeof out !== 'number' ? 112 : out === 4 ? 60 : out * 16)
  return [3, extent(config.out_h), extent(config.out_w)]
}
