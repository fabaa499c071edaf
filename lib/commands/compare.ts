/**
 * `facex compare`: how alike two faces are.
 * @module
 */
import path from 'node:path'

import { pairScores } from '../evaluation/scores.js'
import { FacexError } from '../errors.js'
import { faceOptions, faceUsage, openFaces, printWarnings } from './face-images.js'
import { parseOptions } from './options.js'
import { openWeights, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex compare --weights FILE A.jpg B.jpg [OPTIONS]

Prints the cosine similarity of two faces: 1 for the same image, around 0 for strangers. The threshold between
one and two persons depends on the model: \`facex evaluate\` prints it for a pair list.

--threshold T      also say whether the similarity is at least T
--flip             add the embeddings of mirrored images
--json             for machines
${faceUsage}${weightsUsage}`

export async function run(argv: string[]): Promise<number> {
  const options = { ...weightsOptions, ...faceOptions, threshold: { type: 'string' }, flip: { type: 'boolean' }, json: { type: 'boolean' } } as const
  const { values, positionals } = parseOptions(argv, options, ['A.jpg', 'B.jpg'])
  if (positionals.length !== 2) throw new FacexError('ERR_USAGE', `expected two images, received ${positionals.length}\n\n${usage}`)
  const threshold = values.threshold === undefined ? undefined : Number(values.threshold)
  if (threshold !== undefined && !(threshold >= -1 && threshold <= 1)) {
    throw new FacexError('ERR_USAGE', `--threshold: expected a number from -1 to 1, received "${values.threshold}"`)
  }
  const model = await openWeights(values)
  try {
    const { images, warnings } = await openFaces(positionals.map((file) => path.resolve(file)), values, model)
    printWarnings(warnings)
    const data = await model.embed(images, { flip: values.flip ?? false })
    const similarity = pairScores({ count: 2, dim: model.size, data }, Uint32Array.of(0), Uint32Array.of(1))[0]!
    const same = threshold === undefined ? undefined : similarity >= threshold
    const verdict = same === undefined ? '' : same ? `  same person (threshold ${threshold})` : `  different persons (threshold ${threshold})`
    process.stdout.write(values.json ? `${JSON.stringify({ similarity, threshold, same, warnings })}\n` : `${similarity.toFixed(4)}${verdict}\n`)
    return 0
  } finally {
    model.dispose()
  }
}
