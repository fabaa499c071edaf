/**
 * CPLFW's and CALFW's pair lists: two lines a pair, `image label` each; label 0 is two persons, any other number (CALFW
 * writes the fold) is one.
 * @module
 */
import { throwProblems } from '../errors.js'
import { PairBuilder, type PairList } from './pair-builder.js'
import { readPairText } from './pairs.js'

/** Both lists are meant for ten folds; each kind of pair is in one block and is cut on its own. */
const FOLDS = 10

/** @throws FacexError ERR_DATA that lists every wrong line */
export function openTwoLinePairs(file: string): PairList {
  const lines = readPairText(file)
    .split(/\r?\n/)
    .map((text, index) => ({ number: index + 1, text: text.trim() }))
    .filter((line) => line.text !== '')
  const problems: string[] = []
  const entries = lines.map(({ number, text }) => {
    const match = /^(\S+)\s+(\d+)$/.exec(text)
    if (match === null) problems.push(`${file}:${number}: expected "image label", found ${JSON.stringify(text)}`)
    return { number, image: match?.[1] ?? '', genuine: match?.[2] !== '0' }
  })
  if (lines.length === 0 || lines.length % 2 !== 0) problems.push(`${file}: expected two lines for each pair, found ${lines.length} lines`)
  const builder = new PairBuilder()
  for (let i = 0; i + 1 < entries.length; i += 2) {
    const [a, b] = [entries[i]!, entries[i + 1]!]
    if (a.genuine !== b.genuine) problems.push(`${file}:${b.number}: expected the label of the line before`)
    builder.add({ a: a.image, b: b.image, genuine: a.genuine }, a.number)
  }
  throwProblems('ERR_DATA', 'The pair list has mistakes:', problems)
  return { ...builder.finish(), folds: FOLDS }
}
