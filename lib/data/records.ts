/**
 * RecordIO sets (.rec with .idx) as insightface distributes them, opened natively: mapped into memory, any image at any
 * time.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { addon } from '../native.js'
import { firstOfEachClass, labelGaps, type SampleSet } from './sample-set.js'

/** `train.idx` for `train.rec`. */
export function indexFileOf(file: string): string {
  return file.replace(/\.rec$/, '') + '.idx'
}

/** Opens a .rec file. Without its .idx the file is walked through once. */
export async function openRecords(file: string): Promise<SampleSet> {
  const indexFile = indexFileOf(file)
  const hasIndex = existsSync(indexFile)
  const { positions, labels, problems: broken } = await addon().indexRecords(file, hasIndex ? indexFile : '')
  const problems = broken.map(({ position, reason }) => `${file} at byte ${position}: ${reason}`)
  if (labels.length === 0 && problems.length === 0) problems.push(`${file}: the file holds no image record`)
  const classCount = labels.reduce((most, label) => Math.max(most, label), -1) + 1
  const gaps = labelGaps(labels, classCount)
  if (gaps !== undefined) problems.push(`${file}: ${gaps}`)
  const first = gaps === undefined ? firstOfEachClass(labels, classCount) : []
  return {
    source: { kind: 'records', file, positions, labels },
    labels,
    // Identities have no names in a record file; their number in the file of that name is all there is.
    classNames: first.map((index) => labels[index]!).sort((a, b) => a - b).map((label) => `${path.basename(file)}#${label}`),
    problems,
    notes: hasIndex ? [] : [`${indexFile}: no index, the record file was walked through`],
    describe: (indices) => indices.map((index) => `${file} at byte ${positions[index]}`),
  }
}
