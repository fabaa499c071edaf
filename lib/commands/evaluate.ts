/**
 * `facex evaluate`: verification accuracy of a model on a pair list.
 * @module
 */
import { evaluatePairs, type Evaluation } from '../evaluation/evaluate.js'
import { openPairSet } from '../evaluation/pair-set.js'
import { findRule, rules } from '../evaluation/rules/index.js'
import { FacexError } from '../errors.js'
import { countBar } from '../report/count-bar.js'
import { count, percent } from '../report/wording.js'
import { parseOptions, wholeNumber } from './options.js'
import { openWeights, required, weightsOptions, weightsUsage } from './weights.js'

export const usage = `Usage: facex evaluate --weights FILE --pairs FILE --root DIR [OPTIONS]

Embeds the aligned faces of a pair list and prints how well same and different persons are told apart.

--pairs FILE       "path path 0/1" lines, or LFW's pairs.txt
--root DIR         folder that the paths of the list start from
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
    rule: { type: 'string' },
    flip: { type: 'boolean' },
    'no-flip': { type: 'boolean' },
    folds: { type: 'string' },
    json: { type: 'boolean' },
  })
  if (values.flip && values['no-flip']) throw new FacexError('ERR_USAGE', '--flip and --no-flip exclude each other')
  const rule = findRule(values.rule ?? 'insightface')
  const folds = wholeNumber('folds', values.folds, 2)
  const set = openPairSet({ pairs: required('pairs', values.pairs), root: required('root', values.root) })
  const model = await openWeights(values)
  const bar = countBar('embedding')
  try {
    const flip = values.flip ? true : values['no-flip'] ? false : undefined
    const result = await evaluatePairs(model, set, { rule, folds, flip, batchSize: wholeNumber('batch_size', values.batch_size), onProgress: bar.update })
    bar.stop()
    process.stdout.write(values.json ? json(result) : text(result))
    return 0
  } finally {
    bar.stop()
    model.dispose()
  }
}

function json({ scores: _scores, ...figures }: Evaluation): string {
  return `${JSON.stringify(figures, null, 2)}\n`
}

function text(result: Evaluation): string {
  const between = ([low, high]: readonly [number, number]) => `95% interval ${percent(low)} to ${percent(high)}`
  const rows: [string, string][] = [
    ['accuracy', `${percent(result.accuracy)} +- ${percent(result.std)} (${result.spread} over the folds), ${between(result.interval)}`],
    ['rule', `${result.rule}, mirror images ${result.flip ? 'added' : 'not used'}`],
    ['folds', String(result.folds)],
    ['pairs', `${count(result.pairs)} of ${count(result.images)} images`],
    ['threshold', `${result.threshold.toFixed(4)} (${result.thresholdUnit}, mean of the folds)`],
    ['AUC', result.auc.toFixed(5)],
    ['EER', percent(result.equalErrorRate)],
    ...result.tarAtFar.map((point): [string, string] => [`TAR@FAR ${point.far}`, `${percent(point.tar)}, ${between(point.interval)}, cosine at least ${point.threshold.toFixed(4)}`]),
    ['time', `${result.seconds.toFixed(1)} s, ${(result.images / result.seconds).toFixed(1)} images/s`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}
