/** facex as a peer: answers the same requests as bench/peers/search.py, but for "make". @module */
import path from 'node:path'
import { createInterface } from 'node:readline'

import { NpyFile, readNpy } from '../../lib/evaluation/npy-reader.js'
import type { Embeddings } from '../../lib/evaluation/scores.js'
import { searchTopK } from '../../lib/evaluation/search.js'
import { addon } from '../../lib/native.js'

interface Request {
  readonly cmd: 'start' | 'search'
  readonly folder: string
  readonly k: number
  readonly threads: number
}

/** Gallery rows read at once, as `facex search` reads them. */
const PIECE = 8192

let folder: string
let k: number
let probes: Embeddings

async function start(request: Request): Promise<void> {
  ;({ folder, k } = request)
  addon().setThreads(request.threads)
  probes = await readNpy(path.join(folder, 'probes.npy'))
}

async function search(): Promise<object> {
  const gallery = await NpyFile.open(path.join(folder, 'gallery.npy'))
  try {
    const { scores, rows } = await searchTopK(probes, gallery.pieces(PIECE), k)
    return { scores: [...scores], rows: [...rows] }
  } finally {
    await gallery.close()
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  const began = performance.now()
  const answer = request.cmd === 'start' ? await start(request) : await search()
  process.stdout.write(`${JSON.stringify({ ...answer, seconds: (performance.now() - began) / 1000, peak_bytes: process.resourceUsage().maxRSS * 1024 })}\n`)
}
