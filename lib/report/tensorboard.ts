/**
 * Writes a run's figures as TensorBoard event files, and what its evaluations look like as images.
 * @module
 */
import type { EvaluationDetails, RunListener } from '../training/events.js'
import { EventFile } from './event-file.js'

/** Earlier files in the folder stay; those of a resumed run go on where its checkpoint was written. */
export function tensorboardListener(folder: string): RunListener {
  let file: EventFile | undefined
  let drawn: Promise<unknown> = Promise.resolve()
  return {
    onStart(plan) {
      file = new EventFile(folder)
      if (plan.resumedFrom !== undefined) file.restart(plan.step + 1)
    },
    onStep(report) {
      file?.scalars(report.step, {
        'train/loss': report.loss,
        'train/lr': report.lr,
        'speed/images_per_second': report.imagesPerSecond,
        'speed/data_wait_share': report.waitShare,
      })
    },
    onEpoch(report) {
      file?.scalars(report.step, { 'epoch/loss': report.loss, 'epoch/images_per_second': report.imagesPerSecond, 'epoch/bad_images': report.badImages })
    },
    onEvaluation({ step, name, figure, value }, details) {
      const tag = `evaluation/${name}`
      const events = file
      events?.scalars(step, prefixed(tag, details === undefined ? { [figure]: value } : figures(details)))
      if (events === undefined || details === undefined || !('scores' in details)) return
      drawn = drawn.then(() => addImages(events, step, tag, details))
      drawn.catch(() => undefined) // told at the end
    },
    async onEnd() {
      try {
        await drawn
      } finally {
        file?.close()
        file = undefined
      }
    },
  }
}

function prefixed(tag: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${tag}/${key}`, value]))
}

/** The figures of a result that are curves over the steps of a run. */
function figures(result: EvaluationDetails): Record<string, number> {
  const ranks = 'ranks' in result ? result.ranks.map(({ rank, accuracy }) => [`rank_${rank}`, accuracy]) : []
  const tpir = 'tpirAtFpir' in result ? result.tpirAtFpir.map(({ fpir, tpir: share }) => [`tpir_at_fpir_${fpir}`, share]) : []
  const tar = 'tarAtFar' in result ? result.tarAtFar.map(({ far, tar: share }) => [`tar_at_far_${far}`, share]) : []
  return {
    ...(result.kind === 'verification' && { accuracy: result.accuracy, std: result.std }),
    ...('auc' in result && { auc: result.auc, equal_error_rate: result.equalErrorRate }),
    ...Object.fromEntries([...ranks, ...tpir, ...tar]),
  }
}

type ScoredResult = Extract<EvaluationDetails, { readonly scores: unknown }>

/** Drawing is loaded when there is something to draw: a run without evaluations starts without it. */
async function addImages(file: EventFile, step: number, tag: string, details: ScoredResult): Promise<void> {
  const [{ toPng }, { rocChart, scoreHistogram }, { hardestPictures, pictureSheet }] = await Promise.all([
    import('./charts/draw.js'),
    import('./charts/verification.js'),
    import('./evaluations/pictures.js'),
  ])
  const scores = { name: details.name, scores: details.scores, genuine: details.genuine }
  file.image(step, `${tag}/roc`, await toPng(rocChart([scores]), 1))
  file.image(step, `${tag}/scores`, await toPng(scoreHistogram(scores), 1))
  if (details.kind !== 'verification') return
  const pictures = await hardestPictures(details.set, details)
  for (const [kind, name] of [['impostors', 'false_accepts'], ['genuine', 'false_rejects']] as const) {
    file.image(step, `${tag}/hardest_${name}`, await pictureSheet(pictures.filter((picture) => picture.kind === kind)))
  }
}
