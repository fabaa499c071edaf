/**
 * Pictures of the hardest pairs: both faces side by side, small enough to lie in a run folder and in a page.
 * @module
 */
import { loadSharp } from '../../data/load-sharp.js'
import { hardestPairs } from '../../evaluation/hardest-pairs.js'
import type { ImagePairs } from '../../evaluation/pair-set.js'
import type { ScoredPairs } from '../../evaluation/scores.js'

export interface PairPicture {
  readonly kind: 'impostors' | 'genuine'
  readonly names: readonly [string, string]
  readonly score: number
  /** JPEG, {@link PICTURE}. */
  readonly picture: Buffer
}

const SIDE = 112
/** Size of a picture in pixels. */
export const PICTURE = { width: 2 * SIDE, height: SIDE } as const
const SHOWN = 8
const GAP = 6

/** Two people taken for one, the most alike first, then one person not known again, the least alike first. */
export async function hardestPictures(set: ImagePairs, pairs: ScoredPairs): Promise<PairPicture[]> {
  const hardest = hardestPairs(pairs, SHOWN)
  const pictures: PairPicture[] = []
  for (const kind of ['impostors', 'genuine'] as const) {
    for (const pair of hardest[kind]) {
      const images = [set.list.first[pair]!, set.list.second[pair]!] as const
      const picture = await sideBySide(set.files[images[0]]!, set.files[images[1]]!)
      pictures.push({ kind, names: [set.list.paths[images[0]]!, set.list.paths[images[1]]!], score: pairs.scores[pair]!, picture })
    }
  }
  return pictures
}

async function sideBySide(first: string | Uint8Array, second: string | Uint8Array): Promise<Buffer> {
  const sharp = await loadSharp()
  const faces = await Promise.all([first, second].map((file) => sharp(file).resize(SIDE, SIDE, { fit: 'contain' }).removeAlpha().toColourspace('srgb').png().toBuffer()))
  const tiles = faces.map((input, i) => ({ input, left: i * SIDE, top: 0 }))
  return sharp({ create: { ...PICTURE, channels: 3, background: '#000000' } }).composite(tiles).jpeg({ quality: 85 }).toBuffer()
}

/** All pictures of one kind on one sheet, two a row. */
export async function pictureSheet(pictures: readonly PairPicture[]): Promise<{ readonly width: number; readonly height: number; readonly encoded: Buffer }> {
  const sharp = await loadSharp()
  const rows = Math.ceil(pictures.length / 2)
  const width = 2 * PICTURE.width + 3 * GAP
  const height = rows * (PICTURE.height + GAP) + GAP
  const tiles = pictures.map(({ picture }, i) => ({ input: picture, left: GAP + (i % 2) * (PICTURE.width + GAP), top: GAP + Math.floor(i / 2) * (PICTURE.height + GAP) }))
  const encoded = await sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(tiles).png().toBuffer()
  return { width, height, encoded }
}
