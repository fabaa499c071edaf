/**
 * The figures of an evaluation in words: pairs of a name and a value, and a text of them.
 * @module
 */
import type { ProtocolResult } from '../../evaluation/protocols/protocol.js'
import type { OperatingPoint } from '../../evaluation/verification.js'
import { count, percent } from '../wording.js'

type Row = readonly [name: string, value: string]

export function resultText(result: ProtocolResult): string {
  const rows = [...resultRows(result), ['time', `${result.seconds.toFixed(1)} s${'images' in result ? `, ${(result.images / result.seconds).toFixed(1)} images/s` : ''}`] as const]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}

function resultRows(result: ProtocolResult): Row[] {
  switch (result.kind) {
    case 'verification':
      return [
        ['accuracy', `${percent(result.accuracy)} +- ${percent(result.std)} (${result.spread} over the folds), ${between(result.interval)}`],
        ['rule', `${result.rule}, ${mirrors(result)}`],
        ['folds', String(result.folds)],
        ['pairs', `${count(result.pairs)} of ${count(result.images)} images`],
        ['threshold', `${result.threshold.toFixed(4)} (${result.thresholdUnit}, mean of the folds)`],
        ...curveRows(result),
      ]
    case 'templates':
      return [
        ['templates', `${count(result.templates)} of ${count(result.images)} images, ${weights(result)}`],
        ['rule', `template scores, ${mirrors(result)}`],
        ['pairs', count(result.pairs)],
        ...curveRows(result),
      ]
    case 'template-identification':
      return [
        ['probes', `${count(result.probes)} templates; ${count(result.images)} images, ${weights(result)}`],
        ['galleries', result.galleries.map(({ gallery, mated, nonMated }) => `${count(gallery)} templates (${count(mated)} probes have a mate in it, ${count(nonMated)} none)`).join(' and ')],
        ['rule', `means over both galleries, mate among the 20 best candidates, ${mirrors(result)}`],
        ...result.ranks.map(({ rank, accuracy }): Row => [`rank ${rank}`, `${percent(accuracy)} (${result.galleries.map((gallery) => percent(gallery.ranks.find((row) => row.rank === rank)!.accuracy)).join(' and ')})`]),
        ...result.tpirAtFpir.map(({ fpir, tpir }): Row => [`TPIR@FPIR ${fpir}`, `${percent(tpir)} (${result.galleries.map((gallery) => pointText(gallery.tpirAtFpir.find(({ far }) => far === fpir)!)).join(' and ')})`]),
      ]
    case 'identification':
      return [
        ['trials', `${count(result.trials)} of ${count(result.probes)} photos${result.masked ? ', looked for with masks on' : ''}`],
        ['distractors', count(result.distractors)],
        ['rule', `MegaFace, ${mirrors(result)}`],
        ...result.ranks.map((rank): Row => [`rank ${rank.rank}`, `${percent(rank.accuracy)}, ${between(rank.interval)}`]),
      ]
  }
}

function curveRows(result: { readonly auc: number; readonly equalErrorRate: number; readonly tarAtFar: readonly OperatingPoint[] }): Row[] {
  return [
    ['AUC', result.auc.toFixed(5)],
    ['EER', percent(result.equalErrorRate)],
    ...result.tarAtFar.map((point): Row => [`TAR@FAR ${point.far}`, `${percent(point.tar)}, ${between(point.interval)}, cosine at least ${threshold(point)}`]),
  ]
}

const between = ([low, high]: readonly [number, number]) => `95% interval ${percent(low)} to ${percent(high)}`
const mirrors = ({ flip }: { readonly flip: boolean }) => `mirror images ${flip ? 'added' : 'not used'}`
const weights = ({ weighted }: { readonly weighted: boolean }) => `${weighted ? 'weighted' : 'not weighted'} by detector scores`
const pointText = (point: OperatingPoint) => `${percent(point.tar)} at ${threshold(point)}`

/** Where nothing may be accepted there is no cosine to print. */
function threshold({ threshold: cosine }: OperatingPoint): string {
  return Number.isFinite(cosine) ? cosine.toFixed(4) : 'no score at all'
}
