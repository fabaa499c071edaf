/**
 * From the configuration of a run to what it trains: the backbone as a graph and the head, sizes agreed between them
 * and the data.
 * @module
 */
import { buildBackbone, findBackbone, type BuiltBackbone } from '../backbones/index.js'
import { check, problemAt } from '../config/check.js'
import type { RunConfig } from '../config/run.js'
import type { ConfigSource } from '../config/tree.js'
import { throwProblems } from '../errors.js'
import { cost } from '../graph/cost.js'
import type { Graph } from '../graph/types.js'
import { findHead, type HeadConfig, type HeadPieces } from '../heads/index.js'
import { SHIPPED, type Tables } from './extensions.js'
import type { Preprocessing } from './preprocessing.js'

export interface BuiltModel {
  readonly backbone: BuiltBackbone & { readonly name: string }
  /** The head's options with `feat_dim` and `num_class` filled in. */
  readonly headConfig: HeadConfig & { readonly num_class: number }
  readonly head: HeadPieces
  readonly preprocessing: Preprocessing
  readonly params: number
  readonly macs: number
}

/**
 * Builds what `config` describes for data with `classCount` identities.
 * @throws FacexError ERR_CONFIG for unknown names and wrong options, naming their lines; ERR_GRAPH naming the layer
 */
export function buildModel(
  config: Pick<RunConfig, 'backbone' | 'head' | 'data'>,
  source: ConfigSource,
  classCount: number,
  tables: Tables = SHIPPED,
): BuiltModel {
  const backbone = buildConfiguredBackbone(config.backbone, source, tables)
  const headConfig = configureHead(config.head, source, embeddingSize(backbone.graph), classCount, tables)
  const { color, mean, std, crop, alignment } = config.data
  const [, height, width] = backbone.input
  if (crop === 'upper_half' && height >= width) {
    const text = `upper_half needs a network for images that are wider than high (with out_h: 4 the networks of the table take 60 x 112), ${backbone.name} takes ${height} x ${width}`
    throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(source, 'data.crop', text)])
  }
  const { params, macs } = cost(backbone.graph)
  return {
    backbone,
    headConfig,
    head: findHead(config.head.type, tables.heads).create(headConfig),
    preprocessing: { color, mean, std, crop, height, width, alignment },
    params,
    macs,
  }
}

/** The backbone of a configuration on its own, for commands that need no head. */
export function buildConfiguredBackbone(config: RunConfig['backbone'], source: ConfigSource, tables: Tables = SHIPPED): BuiltModel['backbone'] {
  const { type, ...options } = config
  named(source, 'backbone.type', () => findBackbone(type, tables.backbones))
  return { name: type, ...buildBackbone(type, options, { table: tables.backbones, source, path: 'backbone' }) }
}

function configureHead(config: RunConfig['head'], source: ConfigSource, featDim: number, classCount: number, tables: Tables): BuiltModel['headConfig'] {
  const { type, ...options } = config
  const schema = named(source, 'head.type', () => findHead(type, tables.heads)).schema
  const checked = check(schema, { feat_dim: featDim, ...options }, source, 'head')
  const problems: string[] = []
  if (checked.feat_dim !== featDim) {
    problems.push(problemAt(source, 'head.feat_dim', `expected ${featDim}, the length of the backbone's embedding, received ${checked.feat_dim}`))
  }
  if (checked.num_class !== undefined && checked.num_class !== classCount) {
    problems.push(problemAt(source, 'head.num_class', `expected ${classCount}, the classes of the training data, received ${checked.num_class}; leave it out to have it counted`))
  }
  throwProblems('ERR_CONFIG', 'The configuration is wrong:', problems)
  return { ...checked, num_class: classCount }
}

/** Length D of a graph's embedding. */
export function embeddingSize(graph: Graph): number {
  return graph.nodes[graph.outputs['embedding']!]!.shape.dims.at(-1)!
}

/** Adds the line of `path` to the message of a lookup that fails. */
function named<T>(source: ConfigSource, path: string, find: () => T): T {
  try {
    return find()
  } catch (error) {
    throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(source, path, (error as Error).message)])
    throw error
  }
}
