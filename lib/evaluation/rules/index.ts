/**
 * The table of accuracy rules.
 * @module
 */
import { FacexError, unknownName } from '../../errors.js'
import { facexZoo } from './facex-zoo.js'
import { insightface } from './insightface.js'
import type { AccuracyRule } from './rule.js'

export const rules: readonly AccuracyRule[] = [facexZoo, insightface]

/** @throws FacexError ERR_USAGE that lists the known ones */
export function findRule(name: string): AccuracyRule {
  const rule = rules.find((row) => row.name === name)
  if (rule === undefined) throw new FacexError('ERR_USAGE', unknownName('accuracy rule', name, rules.map((row) => row.name)))
  return rule
}
