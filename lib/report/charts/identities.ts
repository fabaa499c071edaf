/**
 * How many images the identities of a data set have.
 * @module
 */
import type { DatasetSummary } from '../../data/tools/summary.js'
import { count } from '../wording.js'
import { drawBars, type Chart } from './draw.js'

/** Bins as the summary has them: each twice as wide as the one before. */
export function identityHistogram({ histogram, identities }: Pick<DatasetSummary, 'histogram' | 'identities'>): Chart {
  const bars = histogram.map((bin) => ({ name: bin.from === bin.to ? String(bin.from) : `${bin.from}-${bin.to}`, value: bin.identities }))
  return drawBars(`${count(identities)} identities by their number of images`, { name: 'images of an identity' }, { name: 'identities' }, bars)
}
