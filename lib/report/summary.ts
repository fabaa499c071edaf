/**
 * The last words of a run: what it did, where everything lies, what to run next.
 * @module
 */
import path from 'node:path'

import type { RunEnd, RunPlan } from '../training/events.js'
import { evaluationLine } from './lines.js'
import { count, duration, loss } from './wording.js'

/** Lines of text; `plan` is undefined where the run ended before it began. */
export function runSummary(plan: RunPlan | undefined, end: RunEnd): string[] {
  if (plan === undefined) return []
  return ['', ...whatItDid(plan, end), ...whereItLies(end), ...whatNext(plan, end)]
}

const OUTCOME = { finished: 'Trained', interrupted: 'Stopped training', failed: 'Failed while training' } as const

function whatItDid(plan: RunPlan, end: RunEnd): string[] {
  const lost = end.loss === undefined ? '' : `, loss ${loss(end.loss)}`
  return [
    `${OUTCOME[end.reason]} ${plan.backbone} with ${plan.head} on ${count(plan.samples)} images of ${count(plan.classes)} identities: ` +
      `${count(end.step)} of ${count(end.steps)} steps in ${duration(end.seconds)}${lost}.`,
    ...end.evaluations.map(evaluationLine),
    ...(plan.notes ?? []).map((note) => `Note: ${note}`),
  ]
}

function whereItLies(end: RunEnd): string[] {
  if (end.folder === undefined) return []
  const folder = shown(end.folder)
  return ['', `Everything lies in ${folder}: checkpoints, metrics.jsonl, train.log, TensorBoard files, and config.yaml to run it again.`]
}

/** Commands on the run's own files, to be pasted as they stand. */
function whatNext(plan: RunPlan, end: RunEnd): string[] {
  if (end.folder === undefined || end.checkpoint === undefined) return []
  const checkpoint = shown(end.checkpoint)
  const { pairs, list } = plan.examples ?? {}
  const next: [command: string, why: string][] = []
  if (end.reason !== 'finished') next.push([`npx facex train ${shown(path.join(end.folder, 'config.yaml'))} --resume`, 'go on from here, exactly'])
  if (pairs !== undefined) {
    next.push([`npx facex evaluate --weights ${checkpoint} --pairs ${shown(pairs.pairs)} --root ${shown(pairs.root)}`, 'accuracy on a pair list in full'])
    next.push([`npx facex compare --weights ${checkpoint} ${pairs.images.map(shown).join(' ')}`, 'how alike are two aligned faces?'])
  }
  if (list !== undefined) {
    const out = shown(path.join(end.folder, 'embeddings.npy'))
    next.push([`npx facex extract --weights ${checkpoint} --root ${shown(list.root)} --list ${shown(list.list)} --out ${out}`, 'embeddings of a list of images'])
  }
  next.push([`npx facex report ${shown(end.folder)}`, 'curves and figures as one HTML page'])
  return ['', 'Next:', ...next.flatMap(([command, why]) => [`  # ${why}`, `  ${command}`])]
}

/** Relative where that is shorter to type; quoted where a shell would split it. */
function shown(file: string): string {
  const relative = path.relative('', file)
  const short = relative === '' ? '.' : relative.startsWith('..') ? file : relative
  return /^[\w./@%+=:,-]+$/.test(short) ? short : `'${short.replaceAll("'", `'\\''`)}'`
}
