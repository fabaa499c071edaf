/**
 * FaceX-Zoo's training lists: one "path label" a line. The path may hold spaces, the label is the last field; CRLF,
 * empty lines and a byte order mark are fine.
 *
 * The file is read once and squeezed in place into newline-ended paths, so that millions of lines cost no string each.
 * @module
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import { firstOfEachClass, labelGaps, pathsAt, type SampleSet } from './sample-set.js'

const NEWLINE = 10
const RETURN = 13
const SPACE = 32
const TAB = 9
const ZERO = 48
/** Class indices are 32-bit; a larger number is a mistake, not a data set. */
const MAX_LABEL = 2 ** 31 - 2

/** The content of a list: paths and labels by sample, mistakes by line. */
export interface ParsedList {
  /** UTF-8, each path ended by a newline. */
  readonly paths: Uint8Array
  readonly labels: Int32Array
  /** Lines without a sample (empty or wrong), ascending from 1: a sample's line follows from them. */
  readonly skippedLines: readonly number[]
  readonly problems: readonly { readonly line: number; readonly text: string }[]
}

/** Opens a list whose paths start from `root`. */
export function openList(file: string, root: string): SampleSet {
  const list = parseList(read(file))
  const problems = list.problems.map(({ line, text }) => `${file}:${line}: ${text}`)
  if (list.labels.length === 0 && problems.length === 0) problems.push(`${file}: the list has no line "path label"`)
  const classCount = largest(list.labels) + 1
  const gaps = labelGaps(list.labels, classCount)
  if (gaps !== undefined) problems.push(`${file}: ${gaps}`)
  const line = lineNumbers(list.skippedLines)
  return {
    source: { kind: 'files', root, paths: list.paths, labels: list.labels, list: file, skippedLines: Uint32Array.from(list.skippedLines) },
    labels: list.labels,
    classNames: gaps === undefined ? classNames(list, classCount) : [],
    problems,
    notes: [],
    describe: (indices) => pathsAt(list.paths, indices).map((name, i) => `${file}:${line(indices[i]!)}: ${name}`),
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the list cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** Parses the text of a list; `text` is overwritten and becomes `paths`. */
export function parseList(text: Buffer): ParsedList {
  let labels = new Int32Array(Math.max(16, Math.ceil(text.length / 32)))
  let count = 0
  let written = 0
  let line = 0
  const skippedLines: number[] = []
  const problems: { line: number; text: string }[] = []
  const start = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0
  for (let from = start, next = 0; from < text.length; from = next + 1) {
    next = text.indexOf(NEWLINE, from)
    if (next < 0) next = text.length
    line++
    let end = next
    while (end > from && isBlank(text[end - 1]!)) end--
    if (end === from) {
      skippedLines.push(line)
      continue
    }
    let digits = end
    while (digits > from && !isBlank(text[digits - 1]!)) digits--
    let pathEnd = digits
    while (pathEnd > from && isBlank(text[pathEnd - 1]!)) pathEnd--
    const label = pathEnd === from ? -1 : labelAt(text, digits, end)
    if (label < 0 || hasZero(text, from, pathEnd)) {
      skippedLines.push(line)
      problems.push({ line, text: mistake(text.toString('utf8', from, end), pathEnd > from) })
      continue
    }
    if (count === labels.length) labels = grown(labels)
    labels[count++] = label
    // The path and its newline are never longer than the line that they come from.
    text.copyWithin(written, from, pathEnd)
    written += pathEnd - from
    text[written++] = NEWLINE
  }
  return { paths: text.subarray(0, written), labels: labels.slice(0, count), skippedLines, problems }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN
}

/** The number in the bytes [from, to), or -1. */
function labelAt(text: Buffer, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text[at]! - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
    if (value > MAX_LABEL) return -1
  }
  return value
}

function hasZero(text: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (text[at] === 0) return true
  return false
}

function mistake(line: string, hasPath: boolean): string {
  const shown = JSON.stringify(line.length > 80 ? `${line.slice(0, 77)}...` : line)
  if (line.includes('\0')) return `expected text, found a zero byte in ${shown}`
  if (!hasPath) return `expected "path label", found only one field: ${shown}`
  return `expected a label from 0 to ${MAX_LABEL} as the last field, found ${shown}`
}

function grown(labels: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(labels.length * 2)
  larger.set(labels)
  return larger
}

function largest(labels: Int32Array): number {
  let most = -1
  for (const label of labels) if (label > most) most = label
  return most
}

/** Line of a sample, counted over the lines without one. */
function lineNumbers(skipped: readonly number[]): (index: number) => number {
  return (index) => {
    let line = index + 1
    for (const empty of skipped) {
      if (empty > line) break
      line++
    }
    return line
  }
}

/** A class of a list has no name of its own: the folder of its first image stands for it. */
function classNames(list: ParsedList, classCount: number): string[] {
  const first = firstOfEachClass(list.labels, classCount)
  const names = new Array<string>(classCount)
  pathsAt(list.paths, first).forEach((name, i) => {
    names[list.labels[first[i]!]!] = path.posix.dirname(name)
  })
  return names
}
