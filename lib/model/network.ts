/**
 * The network that a file of weights belongs to: as the file says or as the caller names it, with the weights fitted.
 * Every command that uses weights finds its network here.
 * @module
 */
import { readConf } from '../backbones/conf.js'
import { buildBackbone, type Backbone, type BackboneConfig, type BuiltBackbone, type ImageShape } from '../backbones/index.js'
import { applySettings } from '../config/set.js'
import { ConfigTree } from '../config/tree.js'
import type { Graph } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import { deployedGraph } from './deploy.js'
import { loadExtensions } from './extensions.js'
import { fitBackbone, type FittedWeights } from './fit-weights.js'
import type { KeyMap } from './key-maps.js'
import type { Weights } from './weights.js'

/** A backbone with its options, as `buildBackbone` takes them. */
export interface NamedBackbone {
  readonly name: string
  readonly config: unknown
  /** A key map of the caller's, tried before those of facex. */
  readonly keyMap?: KeyMap | undefined
}

/** A network and weights that fit it. */
export interface FittedNetwork extends FittedWeights {
  readonly name: string
  /** The configuration with defaults filled in. */
  readonly config: BackboneConfig
  readonly input: ImageShape
  /** Of the form that the weights have. */
  readonly graph: Graph
  /** The weights are those of the folded form that `facex convert --deploy` writes, which cannot be trained. */
  readonly deployed: boolean
}

/** The backbone or entry of backbone_conf.yaml that is called `name`, with options `key=value`. */
export function namedBackbone(name: string, set: readonly string[] = []): NamedBackbone {
  const entry = readConf().find((candidate) => candidate.name === name)
  const tree = new ConfigTree(structuredClone(entry?.config ?? {}), name)
  applySettings(tree, set)
  return { name: entry?.type ?? name, config: tree.get() }
}

/**
 * Builds a backbone and fits `weights` to it, in the trained or the deployed form, whichever the names are of.
 * @throws FacexError ERR_CONFIG for the backbone, ERR_CHECKPOINT for weights that do not fit it
 */
export async function fitNetwork(weights: Weights, { name, config, keyMap }: NamedBackbone, table?: readonly Backbone[]): Promise<FittedNetwork> {
  const { meta, file } = weights
  const backbones = table ?? (await loadExtensions((meta?.config['extensions'] ?? []) as string[])).backbones
  const size = meta?.backbone.name === name ? ([3, meta.preprocessing.height, meta.preprocessing.width] as const) : undefined
  const built = buildBackbone(name, config, { table: backbones, input: size })
  const graph = formOf(built, weights.backbone)
  return { name, config: built.config, input: built.input, graph, deployed: graph !== built.graph, ...fitBackbone(graph, weights.backbone, { file, keyMap }) }
}

function formOf({ graph }: BuiltBackbone, tensors: readonly NativeTensor[]): Graph {
  const names = new Set(tensors.map(({ name }) => name))
  if (graph.state.every((entry) => entry.kind === 'buffer' || names.has(entry.name))) return graph
  const deployed = deployedGraph(graph)
  return deployed.state.every((entry) => entry.kind === 'buffer' || names.has(entry.name)) ? deployed : graph
}
