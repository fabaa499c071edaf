/**
 * "template template 0/1" lines. IJB-C has fifteen million of them: numbers are read from the file's bytes, and a pair
 * takes nine bytes of memory.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf, throwProblems } from '../../errors.js'

export interface TemplatePairs {
  /** Template numbers of each pair. */
  readonly first: Uint32Array
  readonly second: Uint32Array
  /** 1 where both show one person. */
  readonly genuine: Uint8Array
}

const NEWLINE = 10
const ZERO = 48
const MOST_PROBLEMS = 1000

/** @throws FacexError ERR_DATA that lists wrong lines */
export function openTemplatePairs(file: string): TemplatePairs {
  const text = read(file)
  let lines = 1
  for (const byte of text) if (byte === NEWLINE) lines++
  const [first, second, genuine] = [new Uint32Array(lines), new Uint32Array(lines), new Uint8Array(lines)]
  const problems: string[] = []
  let [count, line] = [0, 0]
  for (let from = 0, end = 0; from < text.length && problems.length < MOST_PROBLEMS; from = end + 1) {
    end = text.indexOf(NEWLINE, from)
    if (end < 0) end = text.length
    line++
    const numbers = numbersIn(text, from, end)
    if (numbers?.length === 0) continue
    const [a, b, same] = numbers ?? []
    if (numbers?.length !== 3 || same! > 1) {
      problems.push(`${file}:${line}: expected "template template 0/1", found ${JSON.stringify(text.toString('utf8', from, Math.min(end, from + 80)).trim())}`)
      continue
    }
    first[count] = a!
    second[count] = b!
    genuine[count++] = same!
  }
  if (count === 0 && problems.length === 0) problems.push(`${file}: the list has no line "template template 0/1"`)
  throwProblems('ERR_DATA', 'The list has mistakes:', problems)
  return { first: first.subarray(0, count), second: second.subarray(0, count), genuine: genuine.subarray(0, count) }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the pair list cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** Whole numbers below 2^32 between blanks; undefined for anything else. */
function numbersIn(text: Buffer, from: number, end: number): number[] | undefined {
  const numbers: number[] = []
  let value = -1
  for (let at = from; at <= end; at++) {
    const byte = at < end ? text[at]! : 0
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      value = Math.max(0, value) * 10 + digit
      if (value >= 2 ** 32) return undefined
    } else if (at === end || byte === 32 || byte === 9 || byte === 13) {
      if (value >= 0) numbers.push(value)
      value = -1
    } else {
      return undefined
    }
  }
  return numbers
}
