/**
 * The table of backbones, and how a configuration becomes a graph.
 * @module
 */
import { check } from '../config/check.js'
import type { ConfigSource } from '../config/tree.js'
import { FacexError, received, unknownName } from '../errors.js'
import { formatShape } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { build } from '../layers/build.js'
import type { Module } from '../layers/module.js'
import type { Backbone, BackboneConfig, ImageShape } from './backbone.js'
import { attentionNet } from './attention-net.js'
import { efficientNet } from './efficient-net.js'
import { ghostNet } from './ghost-net.js'
import { hrNet } from './hr-net.js'
import { iResNet } from './i-res-net.js'
import { lightCNN } from './light-cnn.js'
import { mobileFaceNet } from './mobile-face-net.js'
import { repVGG } from './rep-vgg.js'
import { resNeSt } from './res-nest.js'
import { resNet } from './res-net.js'
import { reXNet } from './rex-net.js'
import { swinTransformer } from './swin-transformer.js'
import { tfNas } from './tf-nas.js'
import { vit } from './vit.js'

export { defineBackbone } from './backbone.js'
export type { Backbone, BackboneConfig, BackboneDefinition, ImageShape } from './backbone.js'

/** Every backbone, in the order of listings. */
export const BACKBONES: readonly Backbone[] = [
  mobileFaceNet,
  resNet,
  hrNet,
  efficientNet,
  ghostNet,
  attentionNet,
  tfNas,
  resNeSt,
  reXNet,
  lightCNN,
  repVGG,
  swinTransformer,
  iResNet,
  vit,
]

/** @throws FacexError ERR_CONFIG for an unknown name, with the nearest known one. */
export function findBackbone(name: string, table: readonly Backbone[] = BACKBONES): Backbone {
  const found = table.find((backbone) => backbone.name === name)
  if (found === undefined) throw new FacexError('ERR_CONFIG', unknownName('backbone', name, table.map((backbone) => backbone.name)))
  return found
}

/** A configured backbone as a graph. */
export interface BuiltBackbone {
  readonly graph: Graph
  /** The configuration with defaults filled in. */
  readonly config: BackboneConfig
  readonly input: ImageShape
}

export interface BuildOptions {
  /** Size of the images where it differs from what the configuration implies. */
  readonly input?: ImageShape | undefined
  readonly table?: readonly Backbone[] | undefined
  /** Where the options were written and under which path, for messages. */
  readonly source?: ConfigSource | undefined
  readonly path?: string | undefined
}

/**
 * Builds the backbone named `name`.
 * @param config options as in backbone_conf.yaml; missing ones take their defaults
 * @throws FacexError ERR_CONFIG for wrong options, ERR_GRAPH naming the layer where sizes do not fit
 */
export function buildBackbone(name: string, config: unknown = {}, options: BuildOptions = {}): BuiltBackbone {
  const { source = { at: () => 'config' }, path = 'backbone' } = options
  const backbone = findBackbone(name, options.table)
  const checked = check(backbone.schema, renamed(config, backbone.aliases ?? {}, path), source, path)
  const input = options.input ?? backbone.input(checked)
  const network = backbone.create(checked, input) as Partial<Module> | undefined
  if (typeof network?.call !== 'function') throw new FacexError('ERR_GRAPH', `${name}: create must return a module of layers, got ${received(network)}`)
  const graph = build(network as Module, input, name)
  const { shape } = graph.nodes[graph.outputs['embedding']!]!
  if (shape.batch !== 1 || shape.dims.length !== 1) {
    throw new FacexError('ERR_GRAPH', `${name}: expected forward to return an embedding [D], got ${formatShape(shape)}; end in Flatten and Linear`)
  }
  return { graph, config: checked, input }
}

/** The same options under their first names. Throws ERR_CONFIG where one is given under two names. */
function renamed(config: unknown, aliases: Readonly<Record<string, string>>, path: string): unknown {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return config
  for (const [alias, name] of Object.entries(aliases)) {
    if (alias in config && name in config) throw new FacexError('ERR_CONFIG', `config ${path}: ${name} and ${alias} are the same option: leave one of them out`)
  }
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [aliases[key] ?? key, value]))
}
