/**
 * The table of margin heads.
 * @module
 */
import { amSoftmax } from './am-softmax.js'
import { arcFace } from './arc-face.js'
import { softmax } from './softmax.js'
import { FacexError, unknownName } from '../errors.js'
import type { HeadDefinition } from './head.js'

export type { HeadConfig, HeadDefinition, HeadPieces } from './head.js'

/** Every head, in the order of listings. */
export const HEADS: readonly HeadDefinition[] = [softmax, amSoftmax, arcFace]

/** @throws FacexError ERR_CONFIG for an unknown name, with the nearest known one. */
export function findHead(name: string): HeadDefinition {
  const found = HEADS.find((head) => head.name === name)
  if (found === undefined) throw new FacexError('ERR_CONFIG', unknownName('head', name, HEADS.map((head) => head.name)))
  return found
}
