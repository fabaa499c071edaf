/**
 * One rank that runs heads on its rows of a batch and prints what it holds afterwards, as one JSON object: `node
 * heads-child.js`, alone or with torchrun's variables.
 */
import { joinPeers } from '../../lib/distributed/peers.js'
import { worldOf } from '../../lib/distributed/world.js'
import { addAngle, expressionHead, negative, exp, norm, otherCosine, ownCosine } from '../../lib/heads/expression.js'
import { HEADS, type HeadPieces } from '../../lib/heads/index.js'
import { addon, type NativeTensor } from '../../lib/native.js'
import type { Held, HeadReport } from './heads.test.js'

const [DIM, BATCH, CLASSES, STEPS] = [8, 12, 13, 3]
const WITHOUT_CENTRES = ['SST_Prototype', 'Contrastive', 'Triplet']

/** All that an expression may use: the other classes' logits send gradients to the own cosine and to the length. */
const mine = expressionHead({
  name: 'Mine',
  summary: 'for this test',
  options: {},
  logits: () => ({
    own: addAngle(ownCosine, 0.3).times(8).plus(norm.times(0.1)),
    other: otherCosine.times(8).times(exp(negative(norm.times(0.01)))).plus(ownCosine),
    regulariser: norm.times(norm).times(0.05),
  }),
})

const named = [...HEADS, mine].map((definition): [string, HeadPieces] => {
  const slots = definition.name === 'SST_Prototype' ? { queue_size: 48 } : {}
  return [definition.name, definition.create(definition.schema.parse({ feat_dim: DIM, num_class: CLASSES, ...slots }))]
})
const own = { featDim: DIM, numClass: 1 }
const cases: Record<string, HeadPieces & { reference?: boolean }> = {
  ...Object.fromEntries(named),
  // 0.93 of the few classes of each rank, rounded up, are all of them: the numbers must not change.
  ...Object.fromEntries(named.filter(([name]) => !WITHOUT_CENTRES.includes(name)).map(([name, pieces]) => [`${name}, sampled`, { ...pieces, sampleRate: 0.93 }])),
  // The form that runs on GPUs.
  ...Object.fromEntries(named.filter(([name]) => !WITHOUT_CENTRES.includes(name)).map(([name, pieces]) => [`${name} by autograd`, { ...pieces, reference: true }])),
  'Distillation by cosine': { ...own, name: 'Distillation', values: {}, choices: { distance: 'cosine' } },
  'Distillation by distance': { ...own, name: 'Distillation', values: {}, choices: { distance: 'l2' } },
  'Hint with a projection': { ...own, name: 'Hint', values: { teacher_dim: 5 }, choices: {} },
}

const peers = await joinPeers(worldOf(process.env), { join_seconds: 60, timeout_seconds: 60, silence_seconds: 20 })
addon().setThreads(1)
const reports: Record<string, HeadReport[]> = {}
for (const [name, pieces] of Object.entries(cases)) reports[name] = runs(pieces)
process.stdout.write(`${JSON.stringify(reports)}\n`)
await peers.leave()

/** Some steps, so that adaptive state moves and decides what follows. */
function runs(pieces: HeadPieces & { reference?: boolean }): HeadReport[] {
  const head = new (addon().Head)({ ...pieces, dtype: 'float64', device: 'cpu', group: peers.group })
  head.initialise(3)
  return Array.from({ length: STEPS }, (_, step) => {
    const embeddings = rows(step, pieces.featDim, 4)
    const labels = int64(Array.from({ length: BATCH }, (_, i) => (Math.floor(i / 2) * 5 + step) % CLASSES))
    const gallery = rows(step + 0.5, pieces.values['teacher_dim'] ?? pieces.featDim, 3)
    const result = head.run({ embeddings, labels, gallery, gradScale: 2, randomKey: step })
    if (pieces.name === 'SST_Prototype') head.enqueue(gallery, labels)
    const grads = result.grads.map(held)
    if (grads.length > 0) head.step({ embeddings, labels, gallery, lr: 0.1, momentum: 0.9, randomKey: step })
    return { loss: result.loss, extraLoss: result.extraLoss, gradEmbeddings: held(result.gradEmbeddings), grads, state: head.state().map(held) }
  })
}

/** This rank's rows of the same numbers on any number of ranks. */
function rows(seed: number, dim: number, length: number): NativeTensor {
  const count = BATCH / peers.size
  const first = count * peers.rank * dim
  const data = Float64Array.from({ length: count * dim }, (_, i) => length * (Math.sin((i + first) * 0.73 + 9 * seed) + (((i + first) % 7) - 3) / 5))
  return { name: 'rows', dtype: 'float64', shape: [count, dim], data: data.buffer }
}

function int64(labels: readonly number[]): NativeTensor {
  const count = BATCH / peers.size
  const data = BigInt64Array.from(labels.slice(count * peers.rank, count * (peers.rank + 1)), BigInt)
  return { name: 'labels', dtype: 'int64', shape: [count], data: data.buffer }
}

function held({ name, dtype, shape, data }: NativeTensor): Held {
  const values = dtype === 'int64' ? Array.from(new BigInt64Array(data), Number) : [...new Float64Array(data)]
  return { name, shape: [...shape], values }
}
