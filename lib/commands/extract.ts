/**
 * `facex extract`: embeddings of images as a NumPy file.
 * @module
 */
import path from 'node:path'

import { openImageList } from '../data/image-list.js'
import { writeEmbeddings } from '../evaluation/npy.js'
import { countBar } from '../report/count-bar.js'
import { count } from '../report/wording.js'
import { parseOptions, wholeNumber } from './options.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex extract --weights FILE --root DIR --list FILE --out E.npy [OPTIONS]

Writes the embeddings of aligned faces, float32 [N, D] in list order, not normalised, and E.txt with their paths.

--list FILE        a path a line, or "path label"
--root DIR         folder that the paths of the list start from
--out FILE         the NumPy file
--flip             add the embeddings of mirrored images
--json             print what was written for machines
${weightsUsage}`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    ...weightsOptions,
    list: { type: 'string' },
    root: { type: 'string' },
    out: { type: 'string' },
    flip: { type: 'boolean' },
    json: { type: 'boolean' },
  })
  const names = openImageList(required('list', values.list))
  const root = required('root', values.root)
  const out = required('out', values.out)
  const model = await openWeights(values)
  const bar = countBar('embedding')
  try {
    const files = names.map((name) => path.resolve(root, name))
    const data = await model.embed(files, { flip: values.flip ?? false, batchSize: wholeNumber('batch_size', values.batch_size), onProgress: bar.update })
    bar.stop()
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
