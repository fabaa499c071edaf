/** What a run keeps of its evaluations, and `facex evaluate` on its checkpoint. */
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { readEvaluations } from '../../lib/report/evaluations/record.js'
import { train } from '../../lib/report/train.js'
import { packageRoot } from '../../lib/setup/places.js'
import { facexHere } from '../facex.js'
import { readEvents } from '../report/event-reader.js'
import type { RunConfigInput } from '../../lib/config/run.js'
import { runFolder, tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const pairs = path.join(root, 'pairs.txt')
const below = (name: string) => path.join(root, name)
const megaface = { facescrub_list: below('known.json'), megaceface_list: below('others.json'), cropped_face_folder: root }
writeFileSync(megaface.facescrub_list, JSON.stringify({ path: ['0/0.png', '0/1.png', '1/0.png', '1/1.png'], id: ['a', 'a', 'b', 'b'] }))
writeFileSync(megaface.megaceface_list, JSON.stringify({ path: Array.from({ length: 12 }, (_, i) => `${2 + (i % 4)}/${i % 8}.png`) }))
writeFileSync(below('tiny.bin'), binFile())
const dataConf = below('data_conf.yaml')
writeFileSync(dataConf, JSON.stringify({ among: { type: 'MegaFace', ...megaface }, 'from-bin': { type: 'bin', file: below('tiny.bin') } }))
const sets: RunConfigInput['evaluation'] = {
  sets: [{ name: 'tiny/set', root, pairs }, { protocol: 'MegaFace', ...megaface }, { name: 'binary', protocol: 'bin', file: below('tiny.bin') }, { protocol: 'among', data_conf: dataConf }],
  best: 'MegaFace',
  folds: 2,
}
const config = tinyConfig(root, { epochs: 2, log: { every: 5, tensorboard: true }, evaluation: sets })
const run = config.out_dir!
const { checkpoint, evaluations } = await train(config)
const record = async (name: string) => (await readEvaluations(run)).find((kept) => kept.name === name)!

/** insightface's form of the first images of the pair list's persons: a pickle of ([image, image, ...], [same, ...]). */
function binFile(): Buffer {
  const pairs = [0, 1, 2, 3].flatMap((i) => [[`${i}/0.png`, `${i}/1.png`, 0x88], [`${i}/0.png`, `${(i + 1) % 4}/1.png`, 0x89]] as const)
  const bytes = (image: string) => {
    const content = readFileSync(below(image))
    const head = Buffer.from([0x42, 0, 0, 0, 0])
    head.writeUInt32LE(content.length, 1)
    return Buffer.concat([head, content])
  }
  const images = pairs.flatMap(([first, second]) => [bytes(first), bytes(second)])
  return Buffer.concat([Buffer.from([0x80, 3, 0x5d, 0x28]), ...images, Buffer.from([0x65, 0x5d, 0x28, ...pairs.map(([, , same]) => same), 0x65, 0x86, 0x2e])])
}
const evaluate = (...options: string[]) => facexHere(['evaluate', '--weights', checkpoint!, '--pairs', pairs, '--root', root, '--threads', '2', ...options])

t.test('a run keeps the last evaluation of each set with scores and pictures', async (t) => {
  t.same((await readEvaluations(run)).map(({ name }) => name), ['MegaFace', 'among', 'binary', 'tiny/set'])
  const { figures, scores, hardest } = await record('tiny/set')
  t.match(figures, { name: 'tiny/set', kind: 'verification', step: 24, epoch: 2, pairs: 20, folds: 2, rule: 'insightface', flip: true })
  t.equal(scores!.scores.length, 20)
  t.ok(hardest.length > 8)
  t.match((await record('binary')).figures, { kind: 'verification', pairs: 8, images: 16 })
})

t.test('any protocol takes part in a run, and its figure may choose the best checkpoint', async (t) => {
  t.match(evaluations.map(({ name, figure }) => [name, figure]), [['tiny/set', 'accuracy'], ['MegaFace', 'rank-1'], ['binary', 'accuracy'], ['among', 'rank-1']])
  const lines = readFileSync(path.join(run, 'metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  const chosen = lines.filter(({ event, name }) => event === 'evaluation' && name === 'MegaFace')
  t.match(chosen.map(({ epoch, best }) => [epoch, best]), [[1, true], [2, Number(chosen[1]!['value']) > Number(chosen[0]!['value'])]])
  t.same((await record('among')).figures['ranks'], (await record('MegaFace')).figures['ranks'], 'an entry of data_conf.yaml is the same as its files in the configuration')
  t.match(readFileSync(path.join(run, 'train.log'), 'utf8'), /MegaFace: rank-1 \d+\.\d+%, best so far/)
})

t.test('a wrong protocol, key or entry is named with its place before training', async (t) => {
  const failure = (set: Record<string, unknown>) => train(tinyConfig(root, { out_dir: runFolder(), evaluation: { sets: [set] as NonNullable<typeof sets>['sets'] } })).then(() => undefined, (error: unknown) => error)
  t.match(await failure({ protocol: 'MegaFase', ...megaface }), { code: 'ERR_CONFIG', message: 'config evaluation.sets[0].protocol: unknown protocol "MegaFase", did you mean "MegaFace"?' })
  t.match(await failure({ protocol: 'bin', fil: below('tiny.bin') }), { code: 'ERR_CONFIG', message: /evaluation\.sets\[0\]\.fil: unknown key, did you mean "file"\?/ })
  t.match(await failure({ protocol: 'amog', data_conf: dataConf }), { code: 'ERR_CONFIG', message: /data_conf\.yaml: unknown entry "amog", did you mean "among"\?/ })
  t.match(await failure({ protocol: 'among', data_conf: dataConf, file: 'x' }), { code: 'ERR_CONFIG', message: /evaluation\.sets\[0\]\.file: the files of among stand in \S+data_conf\.yaml: leave this out/ })
})

t.test('TensorBoard gets the figures of every evaluation, and ROC, scores and hardest pairs as images', async (t) => {
  const folder = path.join(run, 'tensorboard')
  const events = readdirSync(folder).flatMap((file) => readEvents(readFileSync(path.join(folder, file))))
  const tags = ['roc', 'scores', 'hardest_false_accepts', 'hardest_false_rejects'].map((name) => `evaluation/tiny/set/${name}`)
  for (const tag of tags) t.same(events.filter((event) => tag in event.images).map((event) => event.step), [12, 24], tag)
  t.match(events.find((event) => tags[0]! in event.images)!.images[tags[0]!], { width: 440, height: 332 })
  t.equal(events.filter((event) => 'evaluation/tiny/set/equal_error_rate' in event.scalars).length, 2)
  t.equal(events.filter((event) => 'evaluation/MegaFace/rank_10' in event.scalars).length, 2)
})

const python = process.env['FACEX_PYTHON']
t.test('TensorBoard itself reads them', { skip: python === undefined && 'FACEX_PYTHON names no Python with tensorboard' }, async (t) => {
  const script = path.join(packageRoot(), 'test', 'report', 'read_events.py')
  const { stdout, stderr, status } = spawnSync(python!, [script, path.join(run, 'tensorboard')], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  const { scalars, images } = JSON.parse(stdout) as { scalars: Record<string, [step: number, value: number][]>; images: Record<string, [step: number, ...sizes: number[]][]> }
  t.same(scalars['train/loss']!.map(([step]) => step), [5, 10, 12, 15, 20, 24])
  const accuracy = evaluations.find(({ name }) => name === 'tiny/set')!.value
  t.same(scalars['evaluation/tiny/set/accuracy']!.at(-1), [24, Math.fround(accuracy)])
  t.same(images['evaluation/tiny/set/roc'], [12, 24].map((step) => [step, 440, 332, 440, 332]), 'and their sizes are those of the pictures')
  for (const name of ['scores', 'hardest_false_accepts', 'hardest_false_rejects']) {
    for (const [, width, height, ...decoded] of images[`evaluation/tiny/set/${name}`]!) t.same(decoded, [width, height], name)
  }
})

t.test('an image of a list that does not decode is named with the line of the list, by evaluate and extract', async (t) => {
  writeFileSync(below('damaged.png'), readFileSync(below('0/0.png')).subarray(0, 60))
  writeFileSync(below('damaged.txt'), '0/0.png 0/1.png 1\n\n0/0.png damaged.png 0\n')
  writeFileSync(below('damaged-images.txt'), '0/0.png\n\ndamaged.png\n')
  const options = ['--weights', checkpoint!, '--root', root, '--threads', '1']
  const evaluated = await facexHere(['evaluate', ...options, '--pairs', below('damaged.txt')])
  t.match(evaluated, { status: 1, stdout: '' })
  t.equal(evaluated.stderr.split('damaged PNG')[0], `facex: ${below('damaged.txt')}:3: ${below('damaged.png')}: `)
  const extracted = await facexHere(['extract', ...options, '--list', below('damaged-images.txt'), '--out', below('D.npy')])
  t.match(extracted, { status: 1, stdout: '' })
  t.equal(extracted.stderr.split('damaged PNG')[0], `facex: ${below('damaged-images.txt')}:3: damaged.png: ${below('damaged.png')}: `)
  t.same(readdirSync(root).filter((name) => name.startsWith('D.')), [], 'nothing half-written stays')
  const bin = Buffer.from(readFileSync(below('tiny.bin')))
  const third = [1, 2].reduce((at) => bin.indexOf('IHDR', at + 1), bin.indexOf('IHDR'))
  bin.fill(0, third, third + 8)
  writeFileSync(below('damaged.bin'), bin)
  writeFileSync(below('damaged.yaml'), JSON.stringify({ mine: { type: 'bin', file: below('damaged.bin') } }))
  const binary = await facexHere(['evaluate', '--weights', checkpoint!, '--threads', '1', '--protocol', 'mine', '--data_conf', below('damaged.yaml')])
  t.match(binary, { status: 1, stderr: /damaged.bin: pair 2: image 2: damaged PNG/ })
})

t.test('facex evaluate gives the figures that the run gave itself, and keeps them in the run folder', async (t) => {
  const { status, stdout, stderr } = await evaluate('--folds', '2', '--name', 'later', '--json')
  t.equal(status, 0, stderr)
  const own = await record('tiny/set')
  for (const key of ['accuracy', 'std', 'threshold', 'auc']) t.equal(JSON.parse(stdout)[key], own.figures[key], key)
  t.match((await record('later')).figures, { name: 'later', accuracy: own.figures['accuracy'], weights: [checkpoint] })
  t.equal(stderr.trim(), `kept in ${path.join(run, 'evaluations', 'later')}`)
})

t.test('two models side by side give embeddings of both, and nothing is kept where no run is named', async (t) => {
  const { status, stdout, stderr } = await evaluate('--weights', checkpoint!, '--folds', '2', '--json')
  t.equal(status, 0, stderr)
  t.equal(stderr, '')
  t.match(JSON.parse(stdout), { accuracy: (await record('tiny/set')).figures['accuracy'], weights: [checkpoint, checkpoint] })
})

t.test('wrong options are refused with exit status 2', async (t) => {
  t.match(await evaluate('--data_conf', 'x.yaml'), { status: 2, stderr: /--data_conf needs --protocol/ })
  t.match(await evaluate('--far', '2'), { status: 2, stderr: /--far: expected a rate between 0 and 1, received "2"/ })
  t.match(await evaluate('--far', '1e-5', '--folds', '2'), { status: 2, stderr: /far 0.00001: 10 impostor trials measure no rate below 0.10/ })
  t.match(await evaluate('--run', root), { status: 2, stderr: /is no run folder/ })
})
