/** What a run keeps of its evaluations, and `facex evaluate` on its checkpoint. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { readEvaluations } from '../../lib/report/evaluations/record.js'
import { train } from '../../lib/report/train.js'
import { facex } from '../facex.js'
import { readEvents } from '../report/event-reader.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const pairs = path.join(root, 'pairs.txt')
const config = tinyConfig(root, { epochs: 2, log: { every: 5, tensorboard: true }, evaluation: { sets: [{ name: 'tiny/set', root, pairs }], folds: 2 } })
const run = config.out_dir!
const { checkpoint } = await train(config)
const evaluate = (...options: string[]) => facex(['evaluate', '--weights', checkpoint!, '--pairs', pairs, '--root', root, '--threads', '2', ...options])

t.test('a run keeps the last evaluation of each list with scores and pictures', async (t) => {
  const [record, ...others] = await readEvaluations(run)
  t.same(others, [])
  t.match(record!.figures, { name: 'tiny/set', kind: 'verification', step: 24, epoch: 2, pairs: 20, folds: 2, rule: 'insightface', flip: true })
  t.equal(record!.scores!.scores.length, 20)
  t.ok(record!.hardest.length > 8)
})

t.test('TensorBoard gets the figures of every evaluation, and ROC, scores and hardest pairs as images', async (t) => {
  const folder = path.join(run, 'tensorboard')
  const events = readdirSync(folder).flatMap((file) => readEvents(readFileSync(path.join(folder, file))))
  const tags = ['roc', 'scores', 'hardest_false_accepts', 'hardest_false_rejects'].map((name) => `evaluation/tiny/set/${name}`)
  for (const tag of tags) t.same(events.filter((event) => tag in event.images).map((event) => event.step), [12, 24], tag)
  t.match(events.find((event) => tags[0]! in event.images)!.images[tags[0]!], { width: 440, height: 332 })
  t.equal(events.filter((event) => 'evaluation/tiny/set/equal_error_rate' in event.scalars).length, 2)
})

t.test('facex evaluate gives the figures that the run gave itself, and keeps them in the run folder', async (t) => {
  const { status, stdout, stderr } = evaluate('--folds', '2', '--name', 'later', '--json')
  t.equal(status, 0, stderr)
  const [later, own] = await readEvaluations(run)
  for (const key of ['accuracy', 'std', 'threshold', 'auc']) t.equal(JSON.parse(stdout)[key], own!.figures[key], key)
  t.match(later!.figures, { name: 'later', accuracy: own!.figures['accuracy'], weights: [checkpoint] })
  t.equal(stderr.trim(), `kept in ${path.join(run, 'evaluations', 'later')}`)
})

t.test('two models side by side give embeddings of both, and nothing is kept where no run is named', async (t) => {
  const { status, stdout, stderr } = evaluate('--weights', checkpoint!, '--folds', '2', '--json')
  t.equal(status, 0, stderr)
  t.equal(stderr, '')
  t.match(JSON.parse(stdout), { accuracy: (await readEvaluations(run))[0]!.figures['accuracy'], weights: [checkpoint, checkpoint] })
})

t.test('wrong options are refused with exit status 2', async (t) => {
  t.match(evaluate('--data_conf', 'x.yaml'), { status: 2, stderr: /--data_conf needs --protocol/ })
  t.match(evaluate('--far', '2'), { status: 2, stderr: /--far: expected a rate between 0 and 1, received "2"/ })
  t.match(evaluate('--far', '1e-5', '--folds', '2'), { status: 2, stderr: /far 0.00001: 10 impostor trials measure no rate below 0.10/ })
  t.match(evaluate('--run', root), { status: 2, stderr: /is no run folder/ })
})
