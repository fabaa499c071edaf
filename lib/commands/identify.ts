/**
 * `facex identify`: who of a gallery is on a photo.
 * @module
 */
import path from 'node:path'

import { openClassFolders } from '../data/class-folders.js'
import { nearestPersons } from '../evaluation/nearest-persons.js'
import { FacexError, throwProblems } from '../errors.js'
import { underBar } from '../report/count-bar.js'
import { faceOptions, faceUsage, openFaces, printWarnings } from './face-images.js'
import { interruptible } from './interrupts.js'
import { parseOptions, wholeNumber } from './options.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex identify --weights FILE --gallery DIR PHOTO.jpg [OPTIONS]

Prints the persons of a gallery that look most like a face, with the cosine similarity of each one's best photo.

--gallery DIR      a folder for each person, photographs inside
--top N            persons to print, 5 by default
--threshold T      say "unknown" when nobody's similarity is at least T
--flip             add the embeddings of mirrored images
--json             for machines
${faceUsage}${weightsUsage}`

export async function run(argv: string[]): Promise<number> {
  const options = { ...weightsOptions, ...faceOptions, gallery: { type: 'string' }, top: { type: 'string' }, threshold: { type: 'string' }, flip: { type: 'boolean' }, json: { type: 'boolean' } } as const
  const { values, positionals } = parseOptions(argv, options, ['PHOTO.jpg'])
  const [photo] = positionals
  if (photo === undefined) throw new FacexError('ERR_USAGE', `expected a photo\n\n${usage}`)
  const threshold = values.threshold === undefined ? -1 : Number(values.threshold)
  if (!(threshold >= -1 && threshold <= 1)) throw new FacexError('ERR_USAGE', `--threshold: expected a number from -1 to 1, received "${values.threshold}"`)
  const top = wholeNumber('top', values.top) ?? 5
  const gallery = openClassFolders(required('gallery', values.gallery))
  throwProblems('ERR_DATA', 'The gallery has mistakes:', gallery.problems)
  const files = gallery.describe([...gallery.labels.keys()])
  const settings = { flip: values.flip ?? false, batchSize: wholeNumber('batch_size', values.batch_size) }
  const model = await openWeights(values)
  return interruptible(async (signal) => {
    const { images, warnings } = await openFaces([path.resolve(photo), ...files], values, model, signal)
    printWarnings(warnings)
    const data = await underBar('embedding', (onProgress) => model.embed(images, { ...settings, signal, onProgress }))
    const nearest = nearestPersons({ count: files.length + 1, dim: model.size, data }, gallery.labels).slice(0, top)
    const persons = nearest.map(({ person, photo: row, similarity }) => ({ person: gallery.classNames[person]!, similarity, photo: files[row]! }))
    const known = persons.filter(({ similarity }) => similarity >= threshold)
    process.stdout.write(values.json ? `${JSON.stringify({ person: known[0]?.person ?? null, persons, warnings })}\n` : text(known))
    return 0
  }).finally(() => model.dispose())
}

function text(persons: readonly { person: string; similarity: number; photo: string }[]): string {
  if (persons.length === 0) return 'unknown: nobody of the gallery reaches the threshold\n'
  const width = Math.max(...persons.map(({ person }) => person.length))
  return persons.map(({ person, similarity, photo }) => `${person.padEnd(width)}  ${similarity.toFixed(4)}  ${photo}\n`).join('')
}
