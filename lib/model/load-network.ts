/** A trained network and the head that it was trained with, for runs that learn from it. @module */
import { statSync } from 'node:fs'
import path from 'node:path'

import { check } from '../config/check.js'
import { ConfigTree } from '../config/tree.js'
import { FacexError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { findHead, type HeadPieces } from '../heads/index.js'
import type { NativeTensor } from '../native.js'
import { embeddingSize } from './build.js'
import { CheckpointStore } from './checkpoint-store.js'
import type { CheckpointMeta } from './checkpoint.js'
import type { Tables } from './extensions.js'
import { fitNetwork } from './network.js'
import { checkPreprocessing, type Preprocessing } from './preprocessing.js'
import { loadWeights } from './weights.js'

export interface TrainedNetwork {
  readonly graph: Graph
  readonly tensors: readonly NativeTensor[]
  /** State of the head in the file, and what the file says about itself: see {@link trainedHead}. */
  readonly head: readonly NativeTensor[]
  readonly meta: CheckpointMeta
}

export interface TrainedHead {
  readonly pieces: HeadPieces
  readonly tensors: readonly NativeTensor[]
}

/**
 * The checkpoint that a path means: itself, or in a run folder the one with the best evaluation, else the newest.
 * @throws FacexError ERR_CHECKPOINT when the folder holds none
 */
async function checkpointAt(name: string): Promise<string> {
  if (!(statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false)) return name
  const store = new CheckpointStore(path.join(name, 'checkpoints'), { last: 1, best: false })
  const found = (await store.best()) ?? (await store.list()).at(-1)
  if (found === undefined) throw new FacexError('ERR_CHECKPOINT', `${name}: expected a checkpoint or a run folder with checkpoints, found none`)
  return found
}

/**
 * @param name a checkpoint or a run folder
 * @param preprocessing of the images that the network will see
 * @param options `head`: reads its class centres too, for {@link trainedHead}
 * @throws FacexError ERR_CHECKPOINT when the file is no checkpoint, or was trained on images prepared otherwise
 */
export async function loadNetwork(name: string, preprocessing: Preprocessing, tables: Tables, options: { readonly head?: boolean } = {}): Promise<TrainedNetwork> {
  const file = await checkpointAt(name)
  const weights = await loadWeights(file, options)
  const { head, meta } = weights
  if (meta === undefined) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: expected a facex checkpoint, which says what network it holds; "npx facex convert" makes one of other files`)
  }
  checkPreprocessing(preprocessing, meta.preprocessing, file)
  const { graph, tensors } = await fitNetwork(weights, meta.backbone, tables.backbones)
  return { graph, tensors, head, meta }
}

/**
 * The head of a loaded network.
 * @param classes the identities that the run trains on; a hash of '' where only their number is known
 * @throws FacexError ERR_CHECKPOINT when the file has no head, or one for other identities
 */
export function trainedHead({ graph, head, meta }: TrainedNetwork, file: string, classes: { count: number; hash: string }, tables: Tables): TrainedHead {
  const { type, ...options } = (meta.config['head'] ?? {}) as { type?: string }
  if (type === undefined || head.length === 0) throw new FacexError('ERR_CHECKPOINT', `${file}: expected the head that the network was trained with, found none`)
  if (meta.classes?.count !== classes.count || (classes.hash !== '' && meta.classes.hash !== classes.hash)) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: it was trained on other identities (${meta.classes?.count ?? 'an unknown number of'} classes, this run has ${classes.count}): its class probabilities mean nothing here`)
  }
  const definition = findHead(type, tables.heads)
  const values = { feat_dim: embeddingSize(graph), ...options, num_class: classes.count }
  return { pieces: definition.create(check(definition.schema, values, new ConfigTree(values, file), 'head')), tensors: head }
}
