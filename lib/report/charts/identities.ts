/**
 * How many images the identities of a data set have.
 * @module
 */
import type { DatasetSummary } from '../../data/tools/summary.js'
import { drawBars, type Chart } from './draw.js'

/** Bins as the summary has them: each twice as wide as the one before. */
export function identityHistogram({ histogram, images, identities }: Pick<DatasetSummary, 'histogram' | 'images' | 'identities'>): Chart {
  const bars = histogram.map(({ from, to, identities: count }) => ({ name: from === to ? String(from) : `${from}-${to}`, value: count }))
  return drawBars(`${images} images of ${identities} identities`, { name: 'images of an identity' }, { name: 'identities' }, bars)
}
