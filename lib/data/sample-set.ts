/**
 * The samples of one source before any image is opened: names and labels, held in two blocks of memory however many
 * millions there are.
 * @module
 */
import type { NativeSource } from '../native.js'

/** A source of training images, opened. */
export interface SampleSet {
  /** What the loader reads. */
  readonly source: NativeSource
  /** Class of each sample, from 0. */
  readonly labels: Int32Array
  /** One name a class: its folder, or the folder of its first image. Identifies the class map of a checkpoint. */
  readonly classNames: readonly string[]
  /** Mistakes met while opening, each with its place; training must not start with any. */
  readonly problems: readonly string[]
  /** What was left out on purpose, such as files that are no images. */
  readonly notes: readonly string[]
  /** Where samples are declared and their paths, for messages: `train.txt:12: Ann/1.jpg`. Indices ascend. */
  describe(indices: readonly number[]): string[]
}

const NEWLINE = 10

/** The paths with the given ascending indices out of newline-ended text, in one pass. */
export function pathsAt(paths: Uint8Array, indices: readonly number[]): string[] {
  const text = Buffer.from(paths.buffer, paths.byteOffset, paths.byteLength)
  const found: string[] = []
  let start = 0
  let current = 0
  for (const index of indices) {
    for (; current < index; current++) start = text.indexOf(NEWLINE, start) + 1
    found.push(text.toString('utf8', start, text.indexOf(NEWLINE, start)))
  }
  return found
}

/** Index of the first sample of every class that has one, in order of the samples. */
export function firstOfEachClass(labels: Int32Array, classCount: number): number[] {
  const seen = new Uint8Array(classCount)
  const first: number[] = []
  labels.forEach((label, index) => {
    if (seen[label] !== 0) return
    seen[label] = 1
    first.push(index)
  })
  return first
}

/** What is wrong with labels that do not fill 0 ... K - 1, K being the largest label plus one. */
export function labelGaps(labels: Int32Array, classCount: number): string | undefined {
  if (classCount <= labels.length && firstOfEachClass(labels, classCount).length === classCount) return undefined
  // A set, not a table: the largest label may be a slip of the keyboard in the billions.
  const present = new Set(labels)
  const shown: number[] = []
  for (let label = 0; shown.length < 5 && label < classCount; label++) if (!present.has(label)) shown.push(label)
  const missing = classCount - present.size
  return `labels 0 to ${classCount - 1} must all occur: ${missing} of them do not (${shown.join(', ')}${missing > shown.length ? ', ...' : ''})`
}

/** Samples of each class. */
export function countPerClass(labels: Int32Array, classCount: number): Uint32Array {
  const counts = new Uint32Array(classCount)
  for (const label of labels) counts[label]!++
  return counts
}
