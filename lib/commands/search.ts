/**
 * `facex search`: the most similar embeddings of a gallery for every probe.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'

import { NpyFile, readNpy } from '../evaluation/npy-reader.js'
import type { Embeddings } from '../evaluation/scores.js'
import { searchTopK, type SearchResult } from '../evaluation/search.js'
import { FacexError } from '../errors.js'
import { addon } from '../native.js'
import { underBar } from '../report/count-bar.js'
import { interruptible } from './interrupts.js'
import { parseOptions, wholeNumber } from './options.js'
import { required } from './weights.js'

export const usage = `Usage: facex search --probes P.npy --gallery G.npy [OPTIONS]

Prints the embeddings of a gallery that are most similar to each probe, as tab-separated lines "probe rank match cosine".
Both files are float32 [N, D], as \`facex extract\` writes them; names come from the text files beside them, else rows are
numbered from 0. The gallery streams through: a million embeddings need no more memory than a thousand.

--top K       matches for each probe, 10 by default
--threads N   threads that compute; all cores by default
--json        a line {"probe", "matches"} for each probe
`

/** Gallery rows read at once. */
const PIECE = 8192

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { probes: { type: 'string' }, gallery: { type: 'string' }, top: { type: 'string' }, threads: { type: 'string' }, json: { type: 'boolean' } })
  const [probeFile, galleryFile] = [required('probes', values.probes), required('gallery', values.gallery)]
  const top = wholeNumber('top', values.top) ?? 10
  const threads = wholeNumber('threads', values.threads)
  if (threads !== undefined) addon().setThreads(threads)
  const probes = await readNpy(probeFile)
  const gallery = await NpyFile.open(galleryFile)
  try {
    if (gallery.columns !== probes.dim) throw new FacexError('ERR_DATA', `${galleryFile}: expected embeddings of ${probes.dim} numbers as in ${probeFile}, found ${gallery.columns}`)
    const names = { probes: namesOf(probeFile, probes.count), gallery: namesOf(galleryFile, gallery.rows) }
    return await interruptible(async (signal) => {
      const result = await underBar('searching', (update) => searchTopK(probes, counted(gallery, signal, update), top))
      for (let probe = 0; probe < probes.count; probe++) process.stdout.write(lineOf(probe, result, names, values.json ?? false))
      return 0
    })
  } finally {
    await gallery.close()
  }
}

async function* counted(gallery: NpyFile, signal: AbortSignal, update: (done: number, total: number) => void): AsyncGenerator<Embeddings> {
  let done = 0
  for await (const piece of gallery.pieces(PIECE)) {
    if (signal.aborted) throw new FacexError('ERR_ABORTED', `stopped after ${done} of ${gallery.rows} embeddings`)
    yield piece
    update((done += piece.count), gallery.rows)
  }
}

interface Names {
  readonly probes: (row: number) => string
  readonly gallery: (row: number) => string
}

function lineOf(probe: number, { k, scores, rows }: SearchResult, names: Names, json: boolean): string {
  const found = [...rows.subarray(probe * k, (probe + 1) * k)].filter((row) => row >= 0)
  const matches = found.map((row, rank) => ({ match: names.gallery(row), row, similarity: scores[probe * k + rank]! }))
  if (json) return `${JSON.stringify({ probe: names.probes(probe), matches })}\n`
  return matches.map(({ match, similarity }, rank) => `${names.probes(probe)}\t${rank + 1}\t${match}\t${similarity.toFixed(6)}\n`).join('')
}

/** `E.txt` beside `E.npy` names the rows. @throws FacexError ERR_DATA when it names another number of them */
function namesOf(file: string, rows: number): (row: number) => string {
  const text = file.replace(/\.npy$/, '.txt')
  if (text === file || !existsSync(text)) return String
  const names = readFileSync(text, 'utf8').replace(/\n$/, '').split('\n')
  if (names.length !== rows) throw new FacexError('ERR_DATA', `${text}: expected a name for each of ${rows} rows of ${file}, found ${names.length}`)
  return (row) => names[row]!
}
