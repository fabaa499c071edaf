/**
 * `facex evaluate`: the figures of a model under an evaluation protocol.
 * @module
 */
import path from 'node:path'

import { openProtocol, shippedDataConf } from '../evaluation/protocols/conf.js'
import { PROTOCOLS } from '../evaluation/protocols/index.js'
import type { OpenProtocol, ProtocolResult } from '../evaluation/protocols/protocol.js'
import { findRule, rules } from '../evaluation/rules/index.js'
import { FacexError } from '../errors.js'
import { countBar } from '../report/count-bar.js'
import { count, percent } from '../report/wording.js'
import { parseOptions, wholeNumber } from './options.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex evaluate --weights FILE --pairs FILE --root DIR [OPTIONS]
       facex evaluate --weights FILE --protocol NAME --data_conf FILE [OPTIONS]

Embeds the aligned faces of a test set and prints how well the model knows persons again.

--pairs FILE       "path path 0/1" lines, or LFW's pairs.txt
--root DIR         folder that the paths of the list start from
--protocol NAME    an entry of data_conf.yaml; protocols:
${PROTOCOLS.map((protocol) => `                     ${protocol.name.padEnd(14)} ${protocol.summary}`).join('\n')}
--data_conf FILE   where the files of the protocols lie; ${shippedDataConf()} is the example
--rule NAME        how the threshold is chosen, insightface by default:
${rules.map((rule) => `                     ${rule.name.padEnd(12)} ${rule.summary}`).join('\n')}
--flip, --no-flip  add embeddings of mirrored images or not; the rule decides when neither is given
--folds N          folds of the cross-validation; what the list says, else 10
--json             every figure, for machines
${weightsUsage}`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    ...weightsOptions,
    pairs: { type: 'string' },
    root: { type: 'string' },
    protocol: { type: 'string' },
    data_conf: { type: 'string' },
    rule: { type: 'string' },
    flip: { type: 'boolean' },
    'no-flip': { type: 'boolean' },
    folds: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (values.flip && values['no-flip']) throw new FacexError('ERR_USAGE', '--flip and --no-flip exclude each other')
  const rule = findRule(values.rule ?? 'insightface')
  const folds = wholeNumber('folds', values.folds, 2)
  const protocol = open(values)
  const model = await openWeights(values)
  const bar = countBar('embedding')
  try {
    const flip = values.flip ? true : values['no-flip'] ? false : undefined
    const result = await protocol.run(model, { rule, folds, flip, batchSize: wholeNumber('batch_size', values.batch_size), onProgress: bar.update })
    bar.stop()
    process.stdout.write(values.json ? json(result) : text(result))
    return 0
  } finally {
    bar.stop()
    model.dispose()
  }
}

function open(values: { readonly pairs?: string; readonly root?: string; readonly protocol?: string; readonly data_conf?: string }): OpenProtocol {
  if (values.protocol !== undefined) {
    if (values.pairs !== undefined || values.root !== undefined) throw new FacexError('ERR_USAGE', '--protocol takes the lists of --data_conf: leave --pairs and --root out')
    return openProtocol(values.data_conf ?? shippedDataConf(), values.protocol)
  }
  const pairs = required('pairs', values.pairs)
  return PROTOCOLS.find((row) => row.name === 'pairs')!.create({ pairs_file_path: pairs, cropped_face_folder: required('root', values.root) }, path.basename(pairs, path.extname(pairs)))
}

function json(result: ProtocolResult): string {
  const figures = { ...result, scores: undefined } // the curves' raw material would fill the screen
  return `${JSON.stringify(figures, null, 2)}\n`
}

function text(result: ProtocolResult): string {
  const rows = result.kind === 'identification' ? rankRows(result) : [...headRows(result), ...curveRows(result)]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}

const between = ([low, high]: readonly [number, number]) => `95% interval ${percent(low)} to ${percent(high)}`

type Curves = Exclude<ProtocolResult, { kind: 'identification' }>

function rankRows(result: Extract<ProtocolResult, { kind: 'identification' }>): [string, string][] {
  return [
    ['trials', `${count(result.trials)} of ${count(result.probes)} photos${result.masked ? ', looked for with masks on' : ''}`],
    ['distractors', count(result.distractors)],
    ...result.ranks.map((rank): [string, string] => [`rank ${rank.rank}`, `${percent(rank.accuracy)}, ${between(rank.interval)}`]),
    ['time', `${result.seconds.toFixed(1)} s`],
  ]
}

function headRows(result: Curves): [string, string][] {
  if (result.kind === 'templates') {
    return [
      ['templates', `${count(result.templates)} of ${count(result.images)} images${result.weighted ? ', weighted by detector scores' : ''}`],
      ['mirrors', result.flip ? 'added' : 'not used'],
      ['pairs', count(result.pairs)],
    ]
  }
  return [
    ['accuracy', `${percent(result.accuracy)} +- ${percent(result.std)} (${result.spread} over the folds), ${between(result.interval)}`],
    ['rule', `${result.rule}, mirror images ${result.flip ? 'added' : 'not used'}`],
    ['folds', String(result.folds)],
    ['pairs', `${count(result.pairs)} of ${count(result.images)} images`],
    ['threshold', `${result.threshold.toFixed(4)} (${result.thresholdUnit}, mean of the folds)`],
  ]
}

function curveRows(result: Curves): [string, string][] {
  return [
    ['AUC', result.auc.toFixed(5)],
    ['EER', percent(result.equalErrorRate)],
    ...result.tarAtFar.map((point): [string, string] => [`TAR@FAR ${point.far}`, `${percent(point.tar)}, ${between(point.interval)}, cosine at least ${point.threshold.toFixed(4)}`]),
    ['time', `${result.seconds.toFixed(1)} s, ${(result.images / result.seconds).toFixed(1)} images/s`],
  ]
}
