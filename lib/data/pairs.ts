/**
 * Verification pair lists, in two formats told apart by the first line:
 *
 * - plain, as FaceX-Zoo writes them: `path path 0/1` a line (1: same person), separated by tabs or blanks;
 * - LFW's: a first line `folds pairs` (or `pairs` alone), then `name i j` for images i and j of one person and
 *   `name i name j` for images of two; image i of a person is `name/name_000i.jpg`.
 *
 * Every image is named once in {@link PairList.paths}; the pairs hold indices, so that an image is embedded once however
 * many pairs it is part of.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf, throwProblems } from '../errors.js'
import { PairBuilder, type Pair, type PairList } from './pair-builder.js'

export type { PairList } from './pair-builder.js'

/** `auto` tells the two formats apart; `lfw` is for lists of LFW's lines that lack its first one, as RFW's do. */
export type PairFormat = 'auto' | 'lfw'

/**
 * Reads a pair list.
 * @throws FacexError ERR_DATA that lists every wrong line
 */
export function openPairs(file: string, format: PairFormat = 'auto'): PairList {
  return parsePairs(readPairText(file), file, format)
}

/** @throws FacexError ERR_DATA */
export function readPairText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the pair list cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** Parses the text of a pair list; `file` is named in messages. */
export function parsePairs(text: string, file: string, format: PairFormat = 'auto'): PairList {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== '')
  const header = /^\d+(\s+\d+)?$/.test(lines[0]?.text ?? '') ? lines.shift()!.text.split(/\s+/).map(Number) : undefined
  const parseLine = header === undefined && format === 'auto' ? plainPair : lfwPair
  const problems: string[] = []
  const builder = new PairBuilder()
  for (const line of lines) {
    const pair = parseLine(line.text)
    if (typeof pair === 'string') problems.push(`${file}:${line.number}: ${pair}`)
    else builder.add(pair, line.number)
  }
  const folds = header === undefined ? undefined : header.length === 1 ? 1 : header[0]!
  if (problems.length === 0) problems.push(...countMistakes(builder, header, file))
  throwProblems('ERR_DATA', 'The pair list has mistakes:', problems)
  return { ...builder.finish(), ...(folds !== undefined && folds > 1 && { folds }) }
}

/** A pair, or what is wrong with the line. */
function plainPair(line: string): Pair | string {
  const fields = (line.includes('\t') ? line.split('\t') : line.split(/\s+/)).map((field) => field.trim())
  if (fields.length !== 3) {
    const hint = fields.length > 3 ? '; separate the fields by tabs where paths hold blanks' : ''
    return `expected "path path 0/1", found ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}: ${shown(line)}${hint}`
  }
  const [a, b, label] = fields as [string, string, string]
  if (label !== '0' && label !== '1') return `expected 1 (same person) or 0 as the last field, found ${shown(label)}`
  return { a, b, genuine: label === '1' }
}

function lfwPair(line: string): Pair | string {
  const fields = line.includes('\t') ? line.split('\t') : line.split(/\s+/)
  const numbers = fields.length === 3 ? [fields[1], fields[2]] : [fields[1], fields[3]]
  if ((fields.length !== 3 && fields.length !== 4) || !numbers.every((field) => /^\d+$/.test(field ?? ''))) {
    return `expected "name i j" or "name i name j", found ${shown(line)}`
  }
  const other = fields.length === 3 ? fields[0]! : fields[2]!
  return { a: lfwPath(fields[0]!, numbers[0]!), b: lfwPath(other, numbers[1]!), genuine: fields.length === 3 }
}

function lfwPath(name: string, index: string): string {
  return `${name}/${name}_${index.padStart(4, '0')}.jpg`
}

/** What only the whole list shows. */
function countMistakes(builder: PairBuilder, header: readonly number[] | undefined, file: string): string[] {
  const { count, genuineCount } = builder
  if (count === 0) return [`${file}: the list has no pair`]
  if (genuineCount === 0 || genuineCount === count) {
    return [`${file}: expected pairs of the same person and of different people, found ${genuineCount} and ${count - genuineCount}`]
  }
  if (header === undefined) return []
  const [folds, pairs] = header.length === 1 ? [1, header[0]!] : (header as [number, number])
  const declared = folds * pairs * 2
  return declared === count ? [] : [`${file}:1: declares ${folds} x ${pairs} pairs of each kind (${declared} in all), found ${count}`]
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}
