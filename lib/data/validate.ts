/**
 * The look at a data set before training starts: every file is opened and its header read, natively and in parallel,
 * and all that is wrong is reported together.
 * @module
 */
import { throwProblems } from '../errors.js'
import { addon } from '../native.js'
import type { Dataset } from './dataset.js'

export interface ValidationOptions {
  readonly threads: number
  /** Decode every image completely, not only its header. */
  readonly full?: boolean
}

export interface ValidationReport {
  /** Bad images with their place and the reason, in order. */
  readonly badImages: readonly string[]
  /** How many images have which size, the most frequent first. */
  readonly sizes: readonly { readonly width: number; readonly height: number; readonly count: number }[]
}

/**
 * Reads the header of every image.
 * @returns what was found; throws only where files cannot be looked at at all
 */
export async function inspectDataset(dataset: Dataset, options: ValidationOptions): Promise<ValidationReport> {
  const found = await addon().inspectImages(dataset.source, { threads: options.threads, full: options.full ?? false })
  const places = dataset.describe(found.problems.map((problem) => problem.index))
  const counts = new Map<number, number>()
  found.heights.forEach((height, i) => {
    const key = height * 65536 + found.widths[i]!
    if (height > 0) counts.set(key, (counts.get(key) ?? 0) + 1)
  })
  return {
    badImages: found.problems.map((problem, i) => `${places[i]}: ${problem.reason}`),
    sizes: [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([key, count]) => ({ width: key % 65536, height: Math.floor(key / 65536), count })),
  }
}

/**
 * Checks a data set before training.
 * @throws FacexError ERR_DATA that lists every bad image with file and line
 */
export async function validateDataset(dataset: Dataset, options: ValidationOptions): Promise<ValidationReport> {
  const report = await inspectDataset(dataset, options)
  throwProblems('ERR_DATA', 'Training cannot start with this data:', report.badImages)
  return report
}

/** Lines that are shown of the samples whose label lies outside. */
const SHOWN_LABELS = 5

/**
 * Checks that every label has a class.
 * @param numClass classes that the configuration says there are
 * @throws FacexError ERR_DATA naming the first samples beyond, each with the label that its source gives it
 */
export function checkLabels({ labels, parts, describe }: Pick<Dataset, 'labels' | 'parts' | 'describe'>, numClass: number): void {
  const beyond: number[] = []
  let count = 0
  labels.forEach((label, index) => {
    if (label >= 0 && label < numClass) return
    if (++count <= SHOWN_LABELS) beyond.push(index)
  })
  const places = describe(beyond)
  const problems = beyond.map((index, i) => {
    const { firstLabel } = parts.findLast((part) => part.first <= index)!
    const behind = firstLabel === 0 ? '' : ` (class ${labels[index]!} behind the ${firstLabel} of the sources before)`
    return `${places[i]}: label ${labels[index]! - firstLabel}${behind}, expected class 0 to ${numClass - 1}`
  })
  if (count > SHOWN_LABELS) problems.push(`and ${count - SHOWN_LABELS} more`)
  throwProblems('ERR_DATA', `head.num_class is ${numClass}, but the training data has other labels:`, problems)
}
