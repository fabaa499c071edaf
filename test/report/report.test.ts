/** What a run writes down, driven by made-up events. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { crc32c } from '../../lib/report/crc32c.js'
import { EventFile } from '../../lib/report/event-file.js'
import { progressListener } from '../../lib/report/progress.js'
import { folderListeners } from '../../lib/report/run-folder.js'
import { combineListeners, type RunEnd, type RunListener, type RunPlan, type StepReport } from '../../lib/training/events.js'
import { readEvents } from './event-reader.js'

const at = (step: number) => ({ step, steps: 20, epoch: Math.ceil(step / 10), epochs: 2 })

const step = (number: number): StepReport => ({ ...at(number), loss: 8 / number, lr: 0.1, imagesPerSecond: 61.4, waitShare: 0.01, etaSeconds: 3700 })

const plan = (folder: string, rest: Partial<RunPlan> = {}): RunPlan => ({
  ...at(0),
  folder,
  mode: 'conventional',
  backbone: 'MobileFaceNet',
  head: 'ArcFace',
  device: 'cpu',
  precision: 'fp32',
  samples: 1200,
  classes: 60,
  batchSize: 64,
  stepsPerEpoch: 10,
  parameters: 1_200_000,
  macs: 230_000_000,
  notes: ['the faces are drawn by a program'],
  examples: {
    list: { root: path.resolve('faces'), list: path.resolve('faces/train.txt') },
    pairs: { root: path.resolve('faces'), pairs: path.resolve('faces/pairs.txt'), images: [path.resolve('faces/a.jpg'), path.resolve('faces/b.jpg')] },
  },
  ...rest,
})

const evaluation = { ...at(20), name: 'held_out', figure: 'accuracy', value: 0.9325, accuracy: 0.9325, std: 0.011, rule: 'insightface', folds: 10, pairs: 600, seconds: 4, best: true }

const end = (folder: string): RunEnd => ({
  ...at(20),
  reason: 'finished',
  folder,
  seconds: 221,
  loss: 0.4,
  checkpoint: path.join(folder, 'checkpoints', 'last.facex'),
  evaluations: [evaluation],
})

async function playRun(listeners: readonly RunListener[], folder: string) {
  const run = combineListeners(listeners)
  run.onStart(plan(folder))
  for (const number of [5, 10, 15, 20]) {
    run.onProgress(step(number))
    run.onStep(step(number))
    if (number % 10 === 0) run.onEpoch({ ...at(number), loss: 1.5, imagesPerSecond: 60, waitShare: 0.2, seconds: 30, badImages: 3 })
  }
  run.onMessage({ level: 'warning', text: 'the disk is nearly full' })
  run.onEvaluation(evaluation)
  run.onCheckpoint({ ...at(20), path: 'last.facex', seconds: 0.1, pause: 0.02, best: true })
  await run.onEnd(end(folder))
}

t.test('the checksum is CRC-32C', async (t) => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

t.test('a run folder gets a log, metrics and TensorBoard events', async (t) => {
  const folder = t.testdir()
  const tensorboard = path.join(folder, 'tensorboard')
  await playRun(folderListeners({ folder, tensorboard }), folder)

  const metrics = readLines(folder)
  t.same(metrics.map((line) => line['event']), ['start', 'step', 'step', 'epoch', 'step', 'step', 'epoch', 'warning', 'evaluation', 'checkpoint', 'end'])
  t.match(metrics[1], { step: 5, epoch: 1, loss: 1.6, lr: 0.1, images_per_second: 61.4, wait_share: 0.01 })
  t.match(metrics.at(-3), { name: 'held_out', figure: 'accuracy', value: 0.9325, accuracy: 0.9325, std: 0.011, rule: 'insightface', folds: 10, pairs: 600 })

  const [file] = readdirSync(tensorboard)
  t.match(file, /^events\.out\.tfevents\.\d{10}\./)
  const events = readEvents(readFileSync(path.join(tensorboard, file!)))
  t.equal(events[0]!.fileVersion, 'brain.Event:2')
  t.equal(events.some((event) => event.restart), false)
  t.same(events.filter((event) => 'train/loss' in event.scalars).map((event) => event.step), [5, 10, 15, 20])
  t.match(events[1]!.scalars, { 'train/loss': Math.fround(1.6), 'train/lr': Math.fround(0.1) })
  t.equal(events.at(-1)!.scalars['evaluation/held_out/accuracy'], Math.fround(0.9325))

  const log = readFileSync(path.join(folder, 'train.log'), 'utf8')
  t.match(log, /^\d{4}-\d\d-\d\dT\S+Z MobileFaceNet \(1\.20M parameters, 230\.00M multiply-adds an image\) with ArcFace/)
  t.match(log, /warning: the disk is nearly full/)
})

t.test('a resumed run takes back what was written after its checkpoint', async (t) => {
  const folder = t.testdir()
  const tensorboard = path.join(folder, 'tensorboard')
  await playRun(folderListeners({ folder, tensorboard }), folder)
  writeFileSync(path.join(folder, 'metrics.jsonl'), '{"event":"step","st', { flag: 'a' })
  const resumed = combineListeners(folderListeners({ folder, tensorboard }))
  resumed.onStart(plan(folder, { ...at(10), resumedFrom: 'step 10' }))
  resumed.onStep(step(15))
  await resumed.onEnd(end(folder))

  const metrics = readLines(folder)
  t.same(metrics.filter((line) => line['event'] === 'step').map((line) => line['step']), [5, 10, 15])
  const files = readdirSync(tensorboard)
  t.equal(files.length, 2, 'the first event file stays')
  const restarts = files.flatMap((file) => readEvents(readFileSync(path.join(tensorboard, file)))).filter((event) => event.restart)
  t.same(restarts.map((event) => event.step), [11])
})

t.test('event files hold images and steps beyond 32 bits', async (t) => {
  const file = new EventFile(t.testdir())
  file.image(3, 'pairs/hardest', { height: 112, width: 224, encoded: Buffer.alloc(300, 7) })
  file.scalars(2 ** 40, { far: 1 })
  file.close()
  const [, image, scalar] = readEvents(readFileSync(file.path))
  t.same(image!.images, { 'pairs/hardest': { height: 112, width: 224, bytes: 300 } })
  t.equal(scalar!.step, 2 ** 40)
})

t.test('without a terminal progress is plain lines, and the last ones say what to do next', async (t) => {
  const stream = new Recorder()
  await playRun([progressListener(stream)], path.resolve('runs', 'my run'))
  t.notMatch(stream.text, /\u001b|\r/)
  t.match(stream.text, 'epoch 1/2  step 5/20  loss 1.600  lr 0.1  61 images/s  1:01:40 left\n')
  t.match(stream.text, 'epoch 1/2 done: loss 1.500, 60 images/s, 0:30, 3 bad images replaced\n')
  t.match(stream.text, 'held_out: accuracy 93.25% +- 1.10% (600 pairs, 10 folds, rule insightface), best so far\n')
  t.match(stream.text, 'Trained MobileFaceNet with ArcFace on 1,200 images of 60 identities: 20 of 20 steps in 3:41, loss 0.400.\n')
  t.match(stream.text, 'Note: the faces are drawn by a program\n')
  t.match(stream.text, "\n  npx facex evaluate --weights 'runs/my run/checkpoints/last.facex' --pairs faces/pairs.txt --root faces\n")
  t.match(stream.text, "\n  npx facex compare --weights 'runs/my run/checkpoints/last.facex' faces/a.jpg faces/b.jpg\n")
  t.match(stream.text, "--root faces --list faces/train.txt --out 'runs/my run/embeddings.npy'\n")
})

t.test('a failed run is explained in the log; on the screen its error speaks for itself', async (t) => {
  const folder = t.testdir()
  const failed: RunEnd = { ...end(folder), reason: 'failed', checkpoint: undefined, evaluations: [], error: new Error('the disk is full') }
  const stream = new Recorder()
  await progressListener(stream).onEnd!(failed)
  t.equal(stream.text, '')
  const log = combineListeners(folderListeners({ folder }))
  log.onStart(plan(folder))
  await log.onEnd(failed)
  t.match(readFileSync(path.join(folder, 'train.log'), 'utf8'), /failed: the disk is full/)
})

t.test('on a terminal there is a bar, and lines stand above it', async (t) => {
  const stream = new Recorder(true)
  await playRun([progressListener(stream, {})], path.resolve('runs'))
  t.match(stream.text, /epoch 1\/2 \u2588+\u2591+ 50%  loss 1\.600  lr 0\.1  61 images\/s  1:01:40 left/)
  t.match(stream.text, '\u001b[33mwarning: the disk is nearly full\u001b[39m\n')
  t.notMatch(stream.text, 'step 5/20')
  const colourless = new Recorder(true)
  await playRun([progressListener(colourless, { NO_COLOR: '1' })], path.resolve('runs'))
  t.match(colourless.text, '\nwarning: the disk is nearly full\n')
})

function readLines(folder: string): Record<string, unknown>[] {
  return readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** A stream that keeps what it is given; as a terminal it has what a progress bar asks for. */
class Recorder {
  text = ''
  readonly columns = 120

  constructor(readonly isTTY = false) {}

  write(text: string): boolean {
    this.text += text
    return true
  }

  on(): this {
    return this
  }

  removeListener(): this {
    return this
  }
}
