/**
 * CFP's protocol folder: `Pair_list_F.txt` and `Pair_list_P.txt` number the frontal and the profile images, and
 * `Split/FF` or `Split/FP` holds a folder for each fold with `same.txt` and `diff.txt`, lines `i,j` of those numbers.
 * @module
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf, throwProblems } from '../errors.js'
import { PairBuilder, type PairList } from './pair-builder.js'
import { readPairText } from './pairs.js'

/**
 * Image paths start at the folder of the persons: `001/frontal/01.jpg`.
 * @param comparison frontal with frontal, or frontal with profile
 * @throws FacexError ERR_DATA that lists every wrong line
 */
export function openCfpPairs(folder: string, comparison: 'FF' | 'FP'): PairList {
  const problems: string[] = []
  const first = numberedImages(path.join(folder, 'Pair_list_F.txt'), problems)
  const second = comparison === 'FF' ? first : numberedImages(path.join(folder, 'Pair_list_P.txt'), problems)
  const builder = new PairBuilder()
  const splits = splitFolders(path.join(folder, 'Split', comparison))
  for (const split of splits) {
    for (const [name, genuine] of [['same.txt', true], ['diff.txt', false]] as const) {
      const file = path.join(split, name)
      for (const { number, text } of numberedLines(file)) {
        const match = /^(\d+)\s*,\s*(\d+)$/.exec(text)
        const a = first.get(Number(match?.[1]))
        const b = second.get(Number(match?.[2]))
        if (a === undefined || b === undefined) problems.push(`${file}:${number}: expected two image numbers "i,j" of the pair lists, found ${JSON.stringify(text)}`)
        else builder.add({ a, b, genuine }, number)
      }
    }
  }
  throwProblems('ERR_DATA', 'The protocol folder of CFP has mistakes:', problems)
  return { ...builder.finish(), folds: splits.length }
}

/** `12 ../Data/Images/002/frontal/02.jpg`: number to path below `Images`. */
function numberedImages(file: string, problems: string[]): Map<number, string> {
  return new Map(
    numberedLines(file).map(({ number, text }) => {
      const match = /^(\d+)\s+(.+)$/.exec(text)
      if (match === null) problems.push(`${file}:${number}: expected "number path", found ${JSON.stringify(text)}`)
      return [Number(match?.[1]), (match?.[2] ?? '').replace(/^.*Images\//, '')]
    }),
  )
}

function numberedLines(file: string): { number: number; text: string }[] {
  return readPairText(file)
    .split(/\r?\n/)
    .map((text, index) => ({ number: index + 1, text: text.trim() }))
    .filter((line) => line.text !== '')
}

function splitFolders(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^\d+$/.test(name))
    if (names.length < 2) throw new FacexError('ERR_DATA', 'expected a numbered folder for each fold')
    return names.sort().map((name) => path.join(folder, name))
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${folder}: the folds of CFP cannot be read: ${messageOf(cause)}`, { cause })
  }
}
