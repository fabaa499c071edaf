/** One rank of the reference run of conventional training in float64; prints its losses. */
import { buildBackbone } from '../../lib/backbones/index.js'
import { joinPeers } from '../../lib/distributed/peers.js'
import { worldOf } from '../../lib/distributed/world.js'
import { findHead } from '../../lib/heads/index.js'
import { addon, type NativeTensor } from '../../lib/native.js'
import { backward, batch, forward, loss, update } from '../../lib/training/program.js'
import { formulaEntry, formulaTensor, readGolden } from '../golden.js'
import type { ConventionalGolden } from './golden.test.js'

const golden = readGolden<ConventionalGolden>(process.argv[2]!)
const peers = await joinPeers(worldOf(process.env), { join_seconds: 120, timeout_seconds: 600, silence_seconds: 60 })
addon().setThreads(1)
const definition = findHead('ArcFace')
const head = definition.create(definition.schema.parse({ num_class: golden.num_class, scale: golden.scale, margin_arc: golden.margin_arc, margin_am: golden.margin_am }))
const trainer = new (addon().Trainer)({
  networks: { backbone: { graph: buildBackbone('MobileFaceNet').graph, options: { device: 'cpu', master: 'float64', compute: 'float64', pixelMean: 127.5, pixelScale: 1 / 128 } } },
  heads: { head: { ...head, dtype: 'float64', device: 'cpu' } },
  program: [batch(['images']), forward('backbone', 'images', 'embeddings', { stochastic: false }), loss('head', 'embeddings'), backward(), update()],
  seed: 1,
  onNonFinite: 'stop',
  group: peers.group,
  synchroniseStatistics: true,
  bucketBytes: 2 ** 20,
  bfloat16Gradients: false,
})
const names = trainer.parameters().map(({ name }) => name)
trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: golden.optimizer.weight_decay }] })
trainer.initialise(1)
const counters = (name: string) => name.endsWith('num_batches_tracked')
trainer.load(
  trainer.entries().filter(({ name }) => !name.startsWith('optimizer.')).map(({ name, shape }) =>
    formulaEntry({ name, shape, dtype: counters(name) ? 'int64' : 'float64', data: new ArrayBuffer(8 * shape.reduce((a, b) => a * b, 1)) }, name),
  ),
)
const source = new (addon().MemoryBatches)()
golden.steps.forEach(({ labels }, step) => source.push({ images: [own(formulaTensor(`batch ${step}`, [8, 3, 112, 112], 2, -1))], labels: own(int64(labels)) }))
const lr = Float64Array.from(golden.steps, (step) => step.lr)
const { losses } = await trainer.run({ loader: source, lr, progressMs: 1e9 }, () => {})
process.stdout.write(`${JSON.stringify([...losses])}\n`)
await peers.leave()

/** This rank's rows. */
function own(tensor: NativeTensor): NativeTensor {
  const [rows, bytes] = [tensor.shape[0]! / peers.size, tensor.data.byteLength / peers.size]
  return { ...tensor, shape: [rows, ...tensor.shape.slice(1)], data: tensor.data.slice(bytes * peers.rank, bytes * (peers.rank + 1)) }
}

function int64(values: readonly number[]): NativeTensor {
  return { name: 'labels', dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt).buffer as ArrayBuffer }
}
