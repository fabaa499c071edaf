/**
 * `facex evaluate`: the figures of a model under an evaluation protocol.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import type { Peers } from '../distributed/peers.js'
import { openProtocol, shippedDataConf } from '../evaluation/protocols/conf.js'
import { PROTOCOLS } from '../evaluation/protocols/index.js'
import type { OpenProtocol, ProtocolOptions } from '../evaluation/protocols/protocol.js'
import { findRule, rules } from '../evaluation/rules/index.js'
import { FacexError } from '../errors.js'
import { underBar } from '../report/count-bar.js'
import { resultText } from '../report/evaluations/lines.js'
import { figuresOf, writeEvaluation } from '../report/evaluations/record.js'
import { interruptible } from './interrupts.js'
import { parseOptions, wholeNumber, type OptionTable, type OptionValues } from './options.js'
import { withPeers } from './ranks.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex evaluate --weights FILE --pairs FILE --root DIR [OPTIONS]
       facex evaluate --weights FILE --protocol NAME --data_conf FILE [OPTIONS]

Embeds the aligned faces of a test set and prints how well the model knows persons again. Figures, scores and the hardest
pairs are kept in the run folder of the checkpoint, for \`facex report\` and \`facex table\`.

--pairs FILE       "path path 0/1" lines, or LFW's pairs.txt
--root DIR         folder that the paths of the list start from
--protocol NAME    an entry of data_conf.yaml; protocols:
${PROTOCOLS.map((protocol) => `                     ${protocol.name.padEnd(14)} ${protocol.summary}`).join('\n')}
--data_conf FILE   where the files of the protocols lie; ${shippedDataConf()} is the example
--rule NAME        how the threshold is chosen, insightface by default:
${rules.map((rule) => `                     ${rule.name.padEnd(12)} ${rule.summary}`).join('\n')}
--flip, --no-flip  add embeddings of mirrored images or not; the rule decides when neither is given
--folds N          folds of the cross-validation; what the list says, else 10
--far RATE         also report the threshold and TAR at this false accept rate (1:N: FPIR); may be repeated
--name NAME        name of the record; that of the entry or list by default
--run DIR          run folder of the record, where it is not that of the checkpoint
--json             every figure, for machines
${weightsUsage}`

const options = {
  ...weightsOptions,
  pairs: { type: 'string' },
  root: { type: 'string' },
  protocol: { type: 'string' },
  data_conf: { type: 'string' },
  rule: { type: 'string' },
  flip: { type: 'boolean' },
  'no-flip': { type: 'boolean' },
  folds: { type: 'string' },
  far: { type: 'string', multiple: true },
  name: { type: 'string' },
  run: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies OptionTable

type Values = OptionValues<typeof options>

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, options)
  if (values.flip && values['no-flip']) throw new FacexError('ERR_USAGE', '--flip and --no-flip exclude each other')
  const chosen = {
    rule: values.rule === undefined ? undefined : findRule(values.rule),
    folds: wholeNumber('folds', values.folds, 2),
    fars: values.far?.map(rateOf),
    flip: values.flip ? true : values['no-flip'] ? false : undefined,
    batchSize: wholeNumber('batch_size', values.batch_size),
  }
  const folder = runFolder(values)
  const protocol = open(values)
  protocol.checkOptions(chosen)
  return withPeers((peers) => {
    const work = (signal?: AbortSignal) => evaluate(values, protocol, { ...chosen, signal }, folder, peers)
    // Nothing is written before the end: several processes are ended by their launcher.
    return peers.size === 1 ? interruptible(work) : work()
  })
}

async function evaluate(values: Values, protocol: OpenProtocol, chosen: ProtocolOptions, folder: string | undefined, peers: Peers): Promise<number> {
  const model = await openWeights(values, peers)
  try {
    const measured = await underBar('embedding', (update) => protocol.run(model, { ...chosen, ...(peers.leads ? { onProgress: update } : {}) }))
    if (!peers.leads) return 0
    const result = values.name === undefined ? measured : { ...measured, name: values.name }
    process.stdout.write(values.json ? `${JSON.stringify({ ...figuresOf(result), weights: values.weights }, null, 2)}\n` : resultText(result))
    if (folder !== undefined) process.stderr.write(`kept in ${await writeEvaluation(folder, result, { weights: values.weights! })}\n`)
    return 0
  } finally {
    model.dispose()
  }
}

function open(values: Values): OpenProtocol {
  if (values.protocol !== undefined) {
    if (values.pairs !== undefined || values.root !== undefined) throw new FacexError('ERR_USAGE', '--protocol takes the lists of --data_conf: leave --pairs and --root out')
    return openProtocol(values.data_conf ?? shippedDataConf(), values.protocol)
  }
  if (values.data_conf !== undefined) throw new FacexError('ERR_USAGE', '--data_conf needs --protocol, the name of an entry')
  const pairs = required('pairs', values.pairs)
  return PROTOCOLS.find((row) => row.name === 'pairs')!.create({ pairs_file_path: pairs, cropped_face_folder: required('root', values.root) }, path.basename(pairs, path.extname(pairs)))
}

/** The folder that the checkpoint lies in, when a run wrote it. */
function runFolder({ run: named, weights = [] }: Values): string | undefined {
  if (named !== undefined) {
    if (!existsSync(path.join(named, 'metrics.jsonl'))) throw new FacexError('ERR_USAGE', `--run: ${named} is no run folder (it has no metrics.jsonl)`)
    return named
  }
  const above = weights.length === 1 ? path.dirname(path.dirname(path.resolve(weights[0]!))) : undefined
  return above !== undefined && existsSync(path.join(above, 'metrics.jsonl')) ? above : undefined
}

function rateOf(text: string): number {
  const rate = Number(text)
  if (!(rate > 0 && rate < 1) || text.trim() === '') throw new FacexError('ERR_USAGE', `--far: expected a rate between 0 and 1, received "${text}"`)
  return rate
}
