/**
 * What a data set is made of: counts, sizes, images per identity.
 * @module
 */
import type { Dataset } from '../dataset.js'
import { countPerClass } from '../sample-set.js'
import { inspectDataset, type ValidationReport } from '../validate.js'

export interface DatasetSummary extends ValidationReport {
  readonly images: number
  readonly identities: number
  /** Images of an identity. */
  readonly perIdentity: { readonly min: number; readonly median: number; readonly mean: number; readonly max: number }
  /** Identities by their number of images: from `from` to `to`, both included. */
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly identities: number }[]
}

/** Reads every header, or with `full` decodes every image. */
export async function summarise(dataset: Dataset, options: { threads: number; full: boolean }): Promise<DatasetSummary> {
  const counts = countPerClass(dataset.labels, dataset.classCount).sort()
  return {
    images: dataset.size,
    identities: dataset.classCount,
    perIdentity: { min: counts[0]!, median: counts[counts.length >> 1]!, mean: dataset.size / dataset.classCount, max: counts.at(-1)! },
    histogram: histogram(counts),
    ...(await inspectDataset(dataset, options)),
  }
}

/** Bins 1, 2-3, 4-7, 8-15, ...: sets differ by orders of magnitude. */
function histogram(counts: Uint32Array): DatasetSummary['histogram'] {
  const bins: { from: number; to: number; identities: number }[] = []
  for (let from = 1; from <= counts.at(-1)!; from *= 2) {
    bins.push({ from, to: 2 * from - 1, identities: counts.filter((count) => count >= from && count < 2 * from).length })
  }
  return bins
}
