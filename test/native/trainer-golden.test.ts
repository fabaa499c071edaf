import t, { type Test } from 'tap'
import { buildBackbone } from '../../lib/backbones/index.js'
import { scheduleSchema } from '../../lib/config/optimizer.js'
import { findHead } from '../../lib/heads/index.js'
import { addon, type NativeNetworkOptions, type NativeTensor, type NativeTrainer, type NativeVerb } from '../../lib/native.js'
import { semiSiamese } from '../../lib/training/modes/semi-siamese.js'
import { backward, batch, forward, loss, update } from '../../lib/training/program.js'
import { createSchedule } from '../../lib/training/schedules/index.js'
import { learningRates } from '../../lib/training/schedules/schedule.js'
import { fingerprint, formulaEntry, formulaTensor, readGolden } from '../golden.js'
import { sharedPath } from '../shared.js'
import { DEVICE } from './device.js'

const OPTIONS: NativeNetworkOptions = { device: DEVICE, master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 }
const SGD = { momentum: 0.9, nesterov: 0 }

interface Conventional {
  readonly num_class: number
  readonly scale: number
  readonly margin_arc: number
  readonly margin_am: number
  readonly optimizer: { lr: number; weight_decay: number; milestones: number[]; gamma: number; steps_per_epoch: number }
  readonly steps: readonly { readonly labels: number[]; readonly loss: number; readonly lr: number }[]
  readonly state_after: Record<string, [number, number]>
}

// Ten float64 steps of a whole network take a while on a busy machine.
t.setTimeout(300_000)

const conventional = sharedPath('golden', 'training', 'conventional.json')

t.test('ten steps of conventional training in float64 follow the reference to 1e-6', { skip: conventional === undefined && 'no golden values here' }, async (t) => {
  const golden = readGolden<Conventional>(conventional!)
  const definition = findHead('ArcFace')
  const { graph } = buildBackbone('MobileFaceNet')
  const head = definition.create(definition.schema.parse({ num_class: golden.num_class, scale: golden.scale, margin_arc: golden.margin_arc, margin_am: golden.margin_am }))
  const trainer = makeTrainer({
    networks: { backbone: { graph, options: OPTIONS } },
    heads: { head: { ...head, dtype: 'float64', device: DEVICE } },
    program: [batch(['images']), forward('backbone', 'images', 'embeddings', { stochastic: false }), loss('head', 'embeddings'), backward(), update()],
    weightDecay: golden.optimizer.weight_decay,
    learns: /^/,
  })
  await fill(trainer, (name) => name)

  const batches = new (addon().MemoryBatches)()
  golden.steps.forEach(({ labels }, step) => {
    batches.push({ images: [formulaTensor(`batch ${step}`, [8, 3, 112, 112], 2, -1)], labels: int64('labels', labels) })
  })
  const { milestones, gamma } = golden.optimizer
  const rate = createSchedule(scheduleSchema.parse({ name: 'step', milestones, gamma }), { lr: golden.optimizer.lr, stepsPerEpoch: golden.optimizer.steps_per_epoch, epochs: 5 })
  const { losses } = await trainer.run({ loader: batches, lr: learningRates(rate, 0, golden.steps.length), progressMs: 1e9 }, () => {})
  golden.steps.forEach((step, i) => t.ok(close(losses[i]!, step.loss), `loss of step ${i}: ${losses[i]} against ${step.loss}`))
  await compareState(t, trainer, golden.state_after, (name) => name)
})

interface SemiSiamese {
  readonly queue_size: number
  readonly scale: number
  readonly loss_type: string
  readonly margin: number
  readonly ema: number
  readonly optimizer: { lr: number; weight_decay: number }
  readonly steps: readonly { readonly loss: number; readonly enqueued: string }[]
  readonly probe_after: Record<string, [number, number]>
  readonly gallery_after: Record<string, [number, number]>
}

const semiSiameseFile = sharedPath('golden', 'training', 'semi-siamese.json')

t.test('five steps of semi-siamese training in float64 follow the reference to 1e-6', { skip: semiSiameseFile === undefined && 'no golden values here' }, async (t) => {
  const golden = readGolden<SemiSiamese>(semiSiameseFile!)
  const definition = findHead('SST_Prototype')
  const { graph } = buildBackbone('MobileFaceNet')
  const { queue_size, scale, loss_type, margin } = golden
  const plan = await semiSiamese.create(semiSiamese.schema.parse({ alpha: golden.ema, choice: 'alternate' }), {
    graph,
    head: definition.create(definition.schema.parse({ num_class: 1, queue_size, scale, loss_type, margin })),
    batchSize: 8,
    accumulate: 1,
    finish: [update()],
    loadNetwork: () => Promise.reject(new Error('this mode has no teacher')),
    loadHead: () => {
      throw new Error('this mode has no teacher')
    },
    order: () => ({ views: 2, order: () => new Uint32Array() }),
  })
  const trainer = makeTrainer({
    networks: { backbone: { graph, options: OPTIONS }, gallery: { graph, options: OPTIONS } },
    heads: { head: { ...plan.heads['head']!, dtype: 'float64', device: DEVICE } },
    program: [...plan.program],
    weightDecay: golden.optimizer.weight_decay,
    learns: /^backbone\./,
  })
  const isStatistic = (name: string) => /running_|num_batches/.test(name)
  await fill(trainer, (name) => (name.startsWith('gallery.') && isStatistic(name)) || name.startsWith('head.') ? undefined : name.slice(name.indexOf('.') + 1))
  trainer.load([{ ...unitColumns(formulaTensor('queue', [512, queue_size], 2, -1)), name: 'head.queue' }])

  const batches = new (addon().MemoryBatches)()
  golden.steps.forEach((_, step) => {
    const images = ['first', 'second'].map((view) => formulaTensor(`pair ${step} ${view}`, [8, 3, 112, 112], 2, -1))
    batches.push({ images, labels: int64('labels', Array.from({ length: 8 }, (_, i) => 8 * step + i)) })
  })
  const lr = new Float64Array(golden.steps.length).fill(golden.optimizer.lr)
  const { losses } = await trainer.run({ loader: batches, lr, progressMs: 1e9 }, () => {})
  golden.steps.forEach((step, i) => t.ok(close(losses[i]!, step.loss), `loss of step ${i}: ${losses[i]} against ${step.loss}`))
  const within = (part: string) => (name: string) => (name.startsWith(`${part}.`) ? name.slice(part.length + 1) : undefined)
  await compareState(t, trainer, golden.probe_after, within('backbone'))
  await compareState(t, trainer, golden.gallery_after, within('gallery'))
})

function makeTrainer(parts: {
  networks: Record<string, { graph: ReturnType<typeof buildBackbone>['graph']; options: NativeNetworkOptions }>
  heads: ConstructorParameters<ReturnType<typeof addon>['Trainer']>[0]['heads']
  program: NativeVerb[]
  weightDecay: number
  learns: RegExp
}): NativeTrainer {
  const { networks, heads, program, weightDecay, learns } = parts
  const trainer = new (addon().Trainer)({
    networks,
    heads,
    program,
    seed: 1,
    onNonFinite: 'stop',
  })
  const learning = trainer.parameters().map(({ name }) => name).filter((name) => learns.test(name))
  trainer.setOptimizer({ name: 'sgd', values: SGD, groups: [{ names: learning, lrMultiplier: 1, weightDecay }] })
  trainer.initialise(1)
  return trainer
}

/** Fills everything but optimizer slots by formula; `formulaName` says which name the formula sees. */
async function fill(trainer: NativeTrainer, formulaName: (name: string) => string | undefined): Promise<void> {
  const entries = (await trainer.state()).filter((entry) => !entry.name.startsWith('optimizer.'))
  trainer.load(
    entries.flatMap((entry) => {
      const name = formulaName(entry.name)
      return name === undefined ? [] : [formulaEntry(entry, name)]
    }),
  )
}

async function compareState(
  t: Test,
  trainer: NativeTrainer,
  golden: Record<string, [number, number]>,
  goldenName: (name: string) => string | undefined,
): Promise<void> {
  let worst = 0
  let compared = 0
  for (const entry of await trainer.state()) {
    const name = goldenName(entry.name)
    const expected = name === undefined ? undefined : golden[name]
    if (expected === undefined) continue
    compared++
    const [norm, probe] = fingerprint(name!, new Float64Array(entry.data))
    worst = Math.max(worst, relative(norm, expected[0], expected[0]), relative(probe, expected[1], expected[0]))
  }
  t.equal(compared, Object.keys(golden).length, 'every tensor of the reference is there')
  t.ok(worst < 1e-6, `worst relative difference of a tensor: ${worst}`)
}

/** Each column of a matrix divided by its norm. */
function unitColumns(matrix: NativeTensor): NativeTensor {
  const [rows, columns] = matrix.shape as [number, number]
  const values = new Float64Array(matrix.data)
  for (let column = 0; column < columns; column++) {
    let square = 0
    for (let row = 0; row < rows; row++) square += values[row * columns + column]! ** 2
    for (let row = 0; row < rows; row++) values[row * columns + column]! /= Math.sqrt(square)
  }
  return { ...matrix, data: values.buffer }
}

function relative(found: number, expected: number, scale: number): number {
  return Math.abs(found - expected) / Math.max(1e-3, Math.abs(scale))
}

function close(found: number, expected: number): boolean {
  return relative(found, expected, expected) < 1e-6
}

function int64(name: string, values: readonly number[]): NativeTensor {
  return { name, dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt).buffer as ArrayBuffer }
}
