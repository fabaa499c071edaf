/**
 * Everything that a run needs, made from its configuration in one place: data, model, plan of the mode, native trainer
 * and loader. Nothing here trains or writes.
 * @module
 */
import { availableParallelism } from 'node:os'

import type { ResolvedRun } from '../config/resolve.js'
import type { RunConfig } from '../config/run.js'
import { resolveAugmentations } from '../data/augment.js'
import { openDataset } from '../data/dataset.js'
import { writeSynthetic } from '../data/synthetic/source.js'
import { validateDataset } from '../data/validate.js'
import { Peers } from '../distributed/peers.js'
import { FacexError } from '../errors.js'
import { rowsOfWholeFace } from '../model/preprocessing.js'
import { addon, type NativeDevice, type NativeLoader, type NativeTrainer } from '../native.js'
import { chooseDevice } from './device.js'
import type { Message } from './events.js'
import { planRun, type PlannedRun } from './plan-run.js'
import { createSchedule } from './schedules/index.js'
import type { LearningRate } from './schedules/schedule.js'
import { openTestSets, type TestSet } from './test-sets.js'
import { createTrainer } from './trainer.js'

export interface PreparedRun extends PlannedRun {
  /** The processes of the run. */
  readonly peers: Peers
  readonly device: NativeDevice
  readonly trainer: NativeTrainer
  readonly loader: NativeLoader
  /** Threads that decode images. */
  readonly decodeThreads: number
  /** What is evaluated, in the order of the configuration. */
  readonly testSets: readonly TestSet[]
  readonly learningRate: LearningRate
}

/**
 * Opens and validates the data, builds the model and the native objects, weights not initialised yet.
 * @param onMessage what the user should know before the first step
 * @throws FacexError ERR_CONFIG, ERR_DATA, ERR_GRAPH, ERR_SETUP, each naming what is wrong and where
 */
export async function prepareRun({ config, source }: ResolvedRun, onMessage: (message: Message) => void, peers = new Peers()): Promise<PreparedRun> {
  const say = (text: string) => onMessage({ level: 'info', text })
  const { device, notice } = chooseDevice(config.device)
  if (notice !== undefined) onMessage({ level: 'warning', text: notice })
  checkRanks(config, peers, device)
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / peers.localSize))
  const decodeThreads = config.data.threads ?? Math.max(1, Math.ceil(threads / 2))
  addon().setThreads(threads)
  await peers.fromLead(() => drawSynthetic(config, say))
  const dataset = await openDataset(config.data.train)
  dataset.notes.forEach(say)
  const planned = await planRun({ config, source }, dataset)
  const { model, plan } = planned
  const augmentations = resolveAugmentations(config.data.augment)
  const testSets = openTestSets(config.evaluation, source)
  const { height, width } = model.preprocessing
  const fullHeight = rowsOfWholeFace(model.preprocessing)
  const { sizes } = await validateDataset(dataset, { threads })
  resized(sizes, fullHeight, width).forEach(say)
  if (height < width && squeezed(sizes, fullHeight, width)) {
    onMessage({ level: 'warning', text: `whole faces are squeezed to ${width}x${height}; for the upper half of the face set data.crop: upper_half` })
  }
  const loader = new (addon().Loader)({
    source: dataset.source,
    height,
    width,
    fullHeight,
    color: config.data.color,
    batchSize: config.batch_size,
    share: peers.rank,
    shares: peers.size,
    views: plan.order.views,
    threads: decodeThreads,
    prefetch: config.data.prefetch,
    device,
    seed: config.seed,
    augmentations,
    onBadImage: config.data.on_bad_image,
  })
  return {
    ...planned,
    peers,
    device,
    trainer: createTrainer(config, model, plan, device, peers),
    loader,
    decodeThreads,
    testSets,
    learningRate: createSchedule(config.schedule, { lr: config.optimizer.lr, stepsPerEpoch: planned.stepsPerEpoch, epochs: config.epochs }),
  }
}

/** What several processes ask of a configuration. */
function checkRanks({ batch_size: batchSize }: RunConfig, { size }: Peers, device: NativeDevice): void {
  if (size > 1 && device === 'cuda' && !addon().info().cuda.nccl) {
    throw new FacexError('ERR_SETUP', `device: ${size} processes on cuda need NCCL, which this build of facex does not have (nccl.h was not found); use device: cpu, or one process`)
  }
  if (batchSize % size === 0) return
  const below = Math.max(1, Math.floor(batchSize / size)) * size
  throw new FacexError('ERR_CONFIG', `batch_size: it is that of all processes together: expected a multiple of their number, ${size}, received ${batchSize}; the nearest are ${below} and ${below + size}`)
}

/** Sources that a program draws exist from here on. */
async function drawSynthetic(config: RunConfig, say: (text: string) => void): Promise<void> {
  for (const source of config.data.train) {
    if (source.kind !== 'synthetic') continue
    let announced = false
    await writeSynthetic(source, (_, total) => {
      if (!announced) say(`drawing ${total} synthetic faces in ${source.root}`)
      announced = true
    })
  }
}

type Sizes = readonly { readonly width: number; readonly height: number; readonly count: number }[]

/** Whether most images have other proportions. */
function squeezed(sizes: Sizes, height: number, width: number): boolean {
  const [most] = sizes
  return most !== undefined && most.height * width !== most.width * height
}

function resized(sizes: Sizes, height: number, width: number): string[] {
  const others = sizes.filter((size) => size.height !== height || size.width !== width)
  const count = others.reduce((sum, size) => sum + size.count, 0)
  return count === 0 ? [] : [`${count} images are not ${width}x${height} and are resized while training; the most frequent size is ${others[0]!.width}x${others[0]!.height}`]
}
