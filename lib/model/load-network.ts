/** A trained network for runs that learn from it. @module */
import { FacexError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import type { NativeTensor } from '../native.js'
import type { Tables } from './extensions.js'
import { fitNetwork } from './network.js'
import { checkPreprocessing, type Preprocessing } from './preprocessing.js'
import { loadWeights } from './weights.js'

/**
 * @param preprocessing of the images that the network will see
 * @throws FacexError ERR_CHECKPOINT when the file is no checkpoint, or was trained on images prepared otherwise
 */
export async function loadNetwork(file: string, preprocessing: Preprocessing, tables: Tables): Promise<{ graph: Graph; tensors: readonly NativeTensor[] }> {
  const weights = await loadWeights(file)
  const { meta } = weights
  if (meta === undefined) {
    throw new FacexError('ERR_CHECKPOINT', `${file}: expected a facex checkpoint, which says what network it holds; "npx facex convert" makes one of other files`)
  }
  checkPreprocessing(preprocessing, meta.preprocessing, file)
  return fitNetwork(weights, meta.backbone, tables.backbones)
}
