/**
 * `facex extract`: embeddings of images as a NumPy file.
 * @module
 */
import path from 'node:path'

import { openImageList, type ImageList } from '../data/image-list.js'
import type { Peers } from '../distributed/peers.js'
import type { EmbedOptions, ImageEmbedder } from '../evaluation/evaluate.js'
import { EmbeddingWriter } from '../evaluation/npy.js'
import { withPlaces } from '../evaluation/places.js'
import { FacexError } from '../errors.js'
import { underBar } from '../report/count-bar.js'
import { count } from '../report/wording.js'
import { interruptible } from './interrupts.js'
import { parseOptions, wholeNumber, type OptionTable } from './options.js'
import { withPeers } from './ranks.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex extract --weights FILE --root DIR --list FILE --out E.npy [OPTIONS]

Writes the embeddings of aligned faces, float32 [N, D] in list order, not normalised, and E.txt with their paths.

--list FILE        a path a line, or "path label"
--root DIR         folder that the paths of the list start from
--out FILE         the NumPy file
--flip             add the embeddings of mirrored images
--json             print what was written for machines
${weightsUsage}`

const options = {
  ...weightsOptions,
  list: { type: 'string' },
  root: { type: 'string' },
  out: { type: 'string' },
  flip: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies OptionTable

/** Images embedded before they are written: what is in memory at once. */
const PIECE = 8192

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, options)
  const list = openImageList(required('list', values.list))
  const place = { list, root: required('root', values.root), out: required('out', values.out) }
  const settings = { flip: values.flip ?? false, batchSize: wholeNumber('batch_size', values.batch_size) }
  return withPeers(async (peers) => {
    const model = await openWeights(values, peers)
    try {
      return await interruptible(async (signal) => {
        const written = await extract(model, place, { ...settings, signal }, peers)
        if (written === undefined) return 0
        const shape = [list.names.length, model.size]
        const text = `${written.array}: ${count(list.names.length)} embeddings of ${model.size} numbers; ${written.names}: their paths\n`
        process.stdout.write(values.json ? `${JSON.stringify({ ...written, shape })}\n` : text)
        return 0
      })
    } finally {
      model.dispose()
    }
  })
}

interface Place {
  readonly list: ImageList
  readonly root: string
  readonly out: string
}

/** Embeds and writes piece by piece; only the first process writes. After an error nothing half-written stays. */
async function extract(model: ImageEmbedder, { list, root, out }: Place, { signal, ...settings }: EmbedOptions & { signal: AbortSignal }, peers: Peers) {
  const files = list.names.map((name) => path.resolve(root, name))
  const writer = peers.leads ? new EmbeddingWriter(out, list.names, model.size) : undefined
  try {
    await underBar('embedding', async (update) => {
      for (let done = 0; done < files.length; done += PIECE) {
        // All processes leave together: one that waited for another would wait forever.
        const [stopped] = await peers.agree([signal.aborted])
        if (stopped) throw new FacexError('ERR_ABORTED', `stopped after ${done} of ${files.length} images`)
        const piece = files.slice(done, done + PIECE)
        const onProgress = peers.leads ? (embedded: number) => update(done + embedded, files.length) : undefined
        const data = await withPlaces(piece, (image) => list.place(done + image), () => model.embed(piece, { ...settings, firstNumber: done, signal, onProgress }))
        writer?.add(data)
      }
    })
  } catch (error) {
    writer?.discard()
    throw error
  }
  return writer?.close()
}
