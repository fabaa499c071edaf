/**
 * Faces drawn by a program as a data set on disk: a training list, and held-out identities with a pair list. They show
 * no real person and make a first run possible without photographs; how a model does on them says nothing about people.
 *
 * ```
 * root/
 *   synthetic.json    what was drawn
 *   README.txt
 *   train.txt         "train/0000/00.jpg 0"
 *   pairs.txt         "held_out/0060/00.jpg held_out/0060/03.jpg 1"
 *   train/, held_out/ one folder an identity
 * ```
 * @module
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { FacexError } from '../../errors.js'
import { openList } from '../list.js'
import type { SampleSet } from '../sample-set.js'
import { drawIdentity } from './identity.js'
import { drawPairs } from './pairs.js'
import { renderFace } from './render.js'
import { drawScene } from './scene.js'

export interface SyntheticConfig {
  readonly root: string
  /** Identities to train on. */
  readonly identities: number
  /** Images of each. */
  readonly images: number
  /** Further identities, for pairs only. */
  readonly held_out: number
  readonly seed: number
}

export const SYNTHETIC_NOTE = 'the faces are synthetic, drawn by a program: they show no real person, and accuracy on them says nothing about real faces'

/** Changes whenever the drawings change, so that a folder drawn by another version is not mistaken for this one's. */
const VERSION = 1

/** Opens a set that {@link writeSynthetic} has drawn. */
export function openSynthetic({ root }: SyntheticConfig): SampleSet {
  const set = openList(path.join(root, 'train.txt'), root)
  return { ...set, notes: [...set.notes, SYNTHETIC_NOTE] }
}

/**
 * Draws the set unless the folder holds it already; one that was interrupted is drawn again.
 * @param onProgress called with images done and images in all
 * @returns whether anything was drawn
 * @throws FacexError ERR_DATA when the folder holds something else
 */
export async function writeSynthetic(config: SyntheticConfig, onProgress?: (done: number, total: number) => void): Promise<boolean> {
  const { root, identities, images, held_out: heldOut, seed } = config
  const drawn = { version: VERSION, identities, images, held_out: heldOut, seed }
  const marker = path.join(root, 'synthetic.json')
  if (isComplete(root, marker, drawn)) return false
  mkdirSync(root, { recursive: true })
  writeFileSync(marker, JSON.stringify({ ...drawn, complete: false }))
  const folderOf = (person: number) => `${person < identities ? 'train' : 'held_out'}/${String(person).padStart(4, '0')}`
  const nameOf = (person: number, image: number) => `${folderOf(person)}/${String(image).padStart(2, '0')}.jpg`
  const jobs = Array.from({ length: (identities + heldOut) * images }, (_, i) => [Math.floor(i / images), i % images] as const)
  for (let person = 0; person < identities + heldOut; person++) mkdirSync(path.join(root, folderOf(person)), { recursive: true })
  let done = 0
  await inParallel(jobs, availableParallelism() + 1, async ([person, image]) => {
    const file = await renderFace(drawIdentity(seed, person), drawScene(seed, person, image))
    await writeFile(path.join(root, nameOf(person, image)), file)
    onProgress?.(++done, jobs.length)
  })
  const trainLines = jobs.filter(([person]) => person < identities).map(([person, image]) => `${nameOf(person, image)} ${person}\n`)
  writeFileSync(path.join(root, 'train.txt'), trainLines.join(''))
  const pairs = drawPairs({ identities: heldOut, images, seed })
  const pairLines = pairs.map(({ a, b, genuine }) => `${nameOf(identities + a[0], a[1])} ${nameOf(identities + b[0], b[1])} ${Number(genuine)}\n`)
  writeFileSync(path.join(root, 'pairs.txt'), pairLines.join(''))
  writeFileSync(path.join(root, 'README.txt'), `Synthetic data: ${SYNTHETIC_NOTE}.\nDrawn by facex from the seed in synthetic.json.\n`)
  writeFileSync(marker, JSON.stringify({ ...drawn, complete: true }))
  return true
}

function isComplete(root: string, marker: string, drawn: object): boolean {
  if (!existsSync(root) || readdirSync(root).length === 0) return false
  if (!existsSync(marker)) throw new FacexError('ERR_DATA', `${root}: expected an empty folder or one with synthetic.json, found other files; give synthetic data a folder of its own`)
  const { complete, ...found } = JSON.parse(readFileSync(marker, 'utf8')) as { complete: boolean }
  if (!complete) return false
  if (isDeepStrictEqual(found, drawn)) return true
  throw new FacexError('ERR_DATA', `${root}: holds faces drawn with other settings (${JSON.stringify(found)}, wanted ${JSON.stringify(drawn)}); remove the folder or choose another root`)
}

/** Works on all items with `width` of them under way at a time. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
