/**
 * The table of margin heads.
 * @module
 */
import { adaCos } from './ada-cos.js'
import { adaFace } from './ada-face.js'
import { adamSoftmax } from './adam-softmax.js'
import { amSoftmax } from './am-softmax.js'
import { arcFace } from './arc-face.js'
import { arcNegFace } from './arc-neg-face.js'
import { circleLoss } from './circle-loss.js'
import { combinedMargin } from './combined-margin.js'
import { contrastive } from './contrastive.js'
import { cosFace } from './cos-face.js'
import { curricularFace } from './curricular-face.js'
import { elasticFace } from './elastic-face.js'
import { magFace } from './mag-face.js'
import { mvSoftmax } from './mv-softmax.js'
import { npcFace } from './npc-face.js'
import { softmax } from './softmax.js'
import { sstPrototype } from './sst-prototype.js'
import { subCenterArcFace } from './sub-center-arc-face.js'
import { triplet } from './triplet.js'
import { FacexError, unknownName } from '../errors.js'
import type { HeadDefinition } from './head.js'

export type { HeadConfig, HeadDefinition, HeadPieces } from './head.js'

/** Every head, in the order of listings. */
export const HEADS: readonly HeadDefinition[] = [
  softmax,
  amSoftmax,
  adamSoftmax,
  adaCos,
  arcFace,
  mvSoftmax,
  curricularFace,
  circleLoss,
  npcFace,
  magFace,
  arcNegFace,
  cosFace,
  combinedMargin,
  adaFace,
  elasticFace,
  sstPrototype,
  subCenterArcFace,
  contrastive,
  triplet,
]

/**
 * The head of a name.
 * @throws FacexError ERR_CONFIG for an unknown name, with the nearest known one
 */
export function findHead(name: string, table: readonly HeadDefinition[] = HEADS): HeadDefinition {
  const found = table.find((head) => head.name === name)
  if (found === undefined) throw new FacexError('ERR_CONFIG', unknownName('head', name, table.map((head) => head.name)))
  return found
}
