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
  /** Classes that the configuration says there are. */
  readonly numClass?: number
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
 * @throws FacexError ERR_DATA that lists every bad image with file and line, and a wrong number of classes
 */
export async function validateDataset(dataset: Dataset, options: ValidationOptions): Promise<ValidationReport> {
  const problems: string[] = []
  if (options.numClass !== undefined && options.numClass !== dataset.classCount) {
    problems.push(`head.num_class: expected ${dataset.classCount}, the number of classes in the training data, received ${options.numClass}`)
  }
  const report = await inspectDataset(dataset, options)
  throwProblems('ERR_DATA', 'Training cannot start with this data:', [...problems, ...report.badImages])
  return report
}
