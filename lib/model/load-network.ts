/** A trained network in its training form, for runs that learn from it. @module */
import { buildBackbone } from '../backbones/index.js'
import { FacexError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import type { Tables } from './extensions.js'
import { fitBackbone } from './fit-weights.js'
import { checkPreprocessing, type Preprocessing } from './preprocessing.js'
import { loadWeights } from './weights.js'

/**
 * @param preprocessing of the images that the network will see
 * @throws FacexError ERR_CHECKPOINT when the file is no checkpoint, or was trained on images prepared otherwise
 */
export async function loadNetwork(file: string, preprocessing: Preprocessing, tables: Tables): Promise<{ graph: Graph; tensors: readonly NativeTensor[] }> {
  const { backbone: weights, meta } = await loadWeights(file)
  if (meta === undefined) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: expected a facex checkpoint, which says what network it holds; "npx facex convert" makes one of other files`)
  }
  checkPreprocessing(preprocessing, meta.preprocessing, file)
  const { height, width } = meta.preprocessing
  const { graph } = buildBackbone(meta.backbone.name, meta.backbone.config, { input: [3, height, width], table: tables.backbones })
  return { graph, tensors: fitBackbone(graph, weights, { file }).tensors }
}
