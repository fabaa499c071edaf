/**
 * A contact sheet: a few samples of a data set in rows, the image as it is and then as training would see it.
 * @module
 */
import sharp from 'sharp'

import { addon, type NativeAugmentation, type NativeTensor } from '../../native.js'
import type { Dataset } from '../dataset.js'
import { Random } from '../random.js'
import { SamplesByClass } from '../samplers/classes.js'

const GAP = 4

export interface PreviewOptions {
  /** Side of an image in pixels. */
  readonly size: number
  readonly rows: number
  /** Augmented images beside each original. */
  readonly columns: number
  readonly augmentations: readonly NativeAugmentation[]
  readonly seed: number
}

export interface ContactSheet {
  /** PNG. */
  readonly sheet: Buffer
  /** Images that do not decode, with place and reason; the next good one of the same identity stands for each. */
  readonly badImages: readonly string[]
}

export async function contactSheet(dataset: Dataset, options: PreviewOptions): Promise<ContactSheet> {
  const { size, columns, augmentations, seed } = options
  const samples = someSamples(dataset, options.rows, seed)
  const bad = new Set<string>()
  const shown: NativeTensor[] = [await load(dataset, samples, size, [], seed, bad)]
  for (let column = 0; column < columns; column++) shown.push(await load(dataset, samples, size, augmentations, seed + column, bad))
  const tiles = shown.flatMap((column, x) =>
    samples.map((_, y) => ({
      input: Buffer.from(column.data, y * size * size * 3, size * size * 3),
      raw: { width: size, height: size, channels: 3 as const },
      left: GAP + x * (size + GAP) + (x > 0 ? GAP : 0),
      top: GAP + y * (size + GAP),
    })),
  )
  const width = 2 * GAP + (columns + 1) * (size + GAP)
  const height = GAP + samples.length * (size + GAP)
  const sheet = await sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(tiles).png().toBuffer()
  return { sheet, badImages: [...bad] }
}

/** One image of as many different identities. */
function someSamples(dataset: Dataset, count: number, seed: number): number[] {
  const random = new Random(seed)
  const byClass = new SamplesByClass(dataset.labels, dataset.classCount)
  const labels = random.shuffle(Array.from({ length: dataset.classCount }, (_, label) => label)).slice(0, count)
  return labels.map((label) => byClass.of(label)[random.below(byClass.count(label))]!)
}

/** One column of the sheet; notes images that do not decode in `bad`. */
async function load(dataset: Dataset, samples: number[], size: number, augmentations: readonly NativeAugmentation[], seed: number, bad: Set<string>): Promise<NativeTensor> {
  const loader = new (addon().Loader)({
    source: dataset.source,
    height: size,
    width: size,
    color: 'rgb',
    batchSize: samples.length,
    views: 1,
    threads: 1,
    prefetch: 1,
    seed,
    augmentations,
    onBadImage: 'skip',
  })
  try {
    loader.begin(Uint32Array.from(samples), 0, 0)
    const { images } = (await loader.next())!
    for (const { path, reason } of loader.takeBadImages()) bad.add(`${path}: ${reason}`)
    return images[0]!
  } finally {
    loader.dispose()
  }
}
