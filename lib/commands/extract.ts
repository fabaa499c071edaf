/**
 * `facex extract`: embeddings of images as a NumPy file.
 * @module
 */
import path from 'node:path'

import { openImageList } from '../data/image-list.js'
import type { Peers } from '../distributed/peers.js'
import { writeEmbeddings } from '../evaluation/npy.js'
import { countBar } from '../report/count-bar.js'
import { count } from '../report/wording.js'
import { parseOptions, wholeNumber, type OptionTable, type OptionValues } from './options.js'
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

type Values = OptionValues<typeof options>

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, options)
  const names = openImageList(required('list', values.list))
  const root = required('root', values.root)
  const out = required('out', values.out)
  return withPeers((peers) => extract(values, { names, root, out }, peers))
}

async function extract(values: Values, { names, root, out }: { names: readonly string[]; root: string; out: string }, peers: Peers): Promise<number> {
  const model = await openWeights(values, peers)
  const bar = countBar('embedding')
  try {
    const files = names.map((name) => path.resolve(root, name))
    const settings = { flip: values.flip ?? false, batchSize: wholeNumber('batch_size', values.batch_size), ...(peers.leads ? { onProgress: bar.update } : {}) }
    const data = await model.embed(files, settings)
    bar.stop()
    if (!peers.leads) return 0
    const written = writeEmbeddings(out, { count: names.length, dim: model.size, data }, names)
    const shape = [names.length, model.size]
    const text = `${written.array}: ${count(names.length)} embeddings of ${model.size} numbers; ${written.names}: their paths\n`
    process.stdout.write(values.json ? `${JSON.stringify({ ...written, shape })}\n` : text)
    return 0
  } finally {
    bar.stop()
    model.dispose()
  }
}
