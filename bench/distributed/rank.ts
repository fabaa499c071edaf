/** One rank of the benchmark: `node rank.js '{...}'`, alone or with torchrun's variables. Rank 0 prints what it found. @module */
import { readFileSync } from 'node:fs'

import { buildBackbone } from '../../lib/backbones/index.js'
import { joinPeers } from '../../lib/distributed/peers.js'
import { worldOf } from '../../lib/distributed/world.js'
import { fuseNorm } from '../../lib/graph/passes/index.js'
import { findHead } from '../../lib/heads/index.js'
import { addon, type NativeMemoryBatches } from '../../lib/native.js'
import { backward, batch, forward, loss, update } from '../../lib/training/program.js'
import type { RankReport, RankRequest } from './report.js'

const request = JSON.parse(process.argv[2]!) as RankRequest
const peers = await joinPeers(worldOf(process.env), { join_seconds: 300, timeout_seconds: 600, silence_seconds: 60 })
addon().setThreads(request.threads)
const { graph } = buildBackbone(request.backbone)
const definition = findHead(request.head)
const head = definition.create(definition.schema.parse({ num_class: request.classes }))
const trainer = new (addon().Trainer)({
  networks: { backbone: { graph: fuseNorm(graph), options: { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 } } },
  heads: { head: { ...head, dtype: 'float32', device: 'cpu' } },
  program: [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward(), update()],
  seed: 1,
  onNonFinite: 'stop',
  group: peers.group,
  synchroniseStatistics: request.syncBatchNorm,
  bucketBytes: 4 * 2 ** 20,
  bfloat16Gradients: request.bfloat16,
})
const names = trainer.parameters().map(({ name }) => name)
trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 5e-4 }] })
trainer.initialise(1)
await steps(1)
const [before, sentBefore] = [peers.group?.traffic(), loopbackBytes()]
const begun = performance.now()
await steps(request.steps)
const seconds = (performance.now() - begun) / 1000
const [after, sentAfter] = [peers.group?.traffic(), loopbackBytes()]
const peaks = (await peers.exchange(String(peakBytes()))).map(Number)
const difference = (key: 'allReduced' | 'gathered' | 'scattered' | 'operations' | 'waitSeconds') => (after === undefined || before === undefined ? 0 : (after[key] - before[key]) / request.steps)
const report: RankReport = {
  imagesPerSecond: (request.batch * request.steps) / seconds,
  waitShare: (difference('waitSeconds') * request.steps) / seconds,
  volume: { allReduced: difference('allReduced'), gathered: difference('gathered'), scattered: difference('scattered') },
  operations: difference('operations'),
  loopbackBytes: (sentAfter - sentBefore) / request.steps,
  peakBytes: peaks,
  parameters: trainer.parameters().filter(({ name }) => name.startsWith('backbone.')).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
  normChannels: trainer.entries().filter(({ name }) => name.startsWith('backbone.') && name.endsWith('running_mean')).reduce((sum, { shape }) => sum + shape[0]!, 0),
}
if (peers.leads) process.stdout.write(`${JSON.stringify(report)}\n`)
await peers.leave()

async function steps(count: number): Promise<void> {
  await trainer.run({ loader: batches(count), lr: new Float64Array(count).fill(0.01), progressMs: 1e9 }, () => {})
}

function batches(count: number): NativeMemoryBatches {
  const source = new (addon().MemoryBatches)()
  const rows = request.batch / peers.size
  const pixels = Uint8Array.from({ length: rows * 112 * 112 * 3 }, (_, i) => (i * 2654435761 + peers.rank) >>> 24)
  for (let step = 0; step < count; step++) {
    const labels = BigInt64Array.from({ length: rows }, (_, i) => BigInt(((i + peers.rank * rows) * 7919 + step * 104729) % request.classes))
    source.push({
      images: [{ name: 'images', dtype: 'uint8', shape: [rows, 112, 112, 3], data: pixels.buffer }],
      labels: { name: 'labels', dtype: 'int64', shape: [rows], data: labels.buffer },
    })
  }
  return source
}

function peakBytes(): number {
  return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])
}

/** Bytes that this machine has sent to itself, of all programs. */
function loopbackBytes(): number {
  return Number(/^\s*lo:\s*(?:\d+\s+){8}(\d+)/m.exec(readFileSync('/proc/net/dev', 'utf8'))![1])
}
