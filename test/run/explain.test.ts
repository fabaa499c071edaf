import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import type { RunConfig } from '../../lib/config/run.js'
import { resolveRun } from '../../lib/index.js'
import { memoryLines, precisionLines, scheduleLines } from '../../lib/report/plan-lines.js'
import type { ModePlan } from '../../lib/training/modes/index.js'
import { precisionOf } from '../../lib/training/precision.js'
import { planTraining } from '../../lib/training/train.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const lookAt = async (config: Parameters<typeof tinyConfig>[1], root: string) => {
  const { details } = await planTraining(resolveRun({ config: tinyConfig(root, config) }), () => {})
  return details
}

t.test('a plan tells schedule, memory and precision without training', async (t) => {
  const root = await writeTinyFaces()
  const plain = await lookAt({ schedule: { name: 'step', milestones: [2, 3] }, optimizer: { name: 'sgd', lr: 0.1 } }, root)
  t.match(scheduleLines(plain)[0], 'learning rate: 0.1 from epoch 1, 0.01 from epoch 3, 0.001 from epoch 4')
  const { weights, gradients, optimizer, activations, logits, loader, checkpoint, process, peak } = plain.memory
  t.ok(peak < process + 1.05 * (weights + gradients + optimizer + activations + logits + loader + checkpoint), 'the parts, and a little for what kernels need')
  t.ok(peak > weights + optimizer + activations + loader + process)
  t.match(memoryLines(plain.memory)[0], /^memory, estimated: \d+ MiB; not all parts/)

  const twice = await lookAt({ batch_size: 8 }, root)
  t.ok(twice.memory.activations > 1.5 * activations, 'activations grow with the batch')
  t.equal(twice.memory.weights, weights)
  const adam = await lookAt({ optimizer: { name: 'adamw', lr: 1e-3 } }, root)
  t.equal(adam.memory.optimizer, 2 * optimizer, 'AdamW keeps two slots a parameter')

  const mixed = await lookAt({ precision: 'bf16' }, root)
  t.ok(mixed.memory.activations < activations)
  const lines = precisionLines(mixed)
  for (const line of [/^network backbone +bfloat16/, /^norm statistics +float32/, /^head head +float32 +CurricularFace/, /^weights +float32 +masters/]) {
    t.ok(lines.some((text) => line.test(text)), String(line))
  }
})

t.test('two forwards that wait for one backward need about twice the activations', async (t) => {
  const root = await writeTinyFaces()
  const head = { type: 'SST_Prototype', queue_size: 8 }
  const siamese = await lookAt({ mode: { name: 'semi-siamese' }, head, batch_size: 2 }, root)
  const conventional = await lookAt({ head: { type: 'ArcFace' }, batch_size: 2 }, root)
  const ratio = siamese.memory.activations / conventional.memory.activations
  t.ok(ratio > 1.3 && ratio < 2.5, `ratio ${ratio}`)
  t.match(precisionLines(siamese).join('\n'), /network gallery +float32 +activations; it does not learn by gradients/)
})

t.test('the nodes of a network that compute wider than its 16 bits are named', (t) => {
  const { graph } = buildBackbone('MobileFaceNet', {})
  const rows = (precision: 'fp32' | 'bf16' | 'fp16', device: 'cpu' | 'cuda') =>
    precisionOf({ config: { precision } as RunConfig, device, plan: { networks: { backbone: graph }, heads: {}, program: [] } as unknown as ModePlan }).filter(({ nodes }) => nodes !== undefined)

  t.same(rows('fp32', 'cpu'), [], 'with fp32 there is nothing to tell apart')
  const bf16 = rows('bf16', 'cpu')
  const [norms, depthwise] = bf16
  t.match(norms, { part: /^ {2}batch norm \(\d+\)$/, type: 'float32' })
  t.equal(norms!.nodes!.length, graph.state.filter(({ name }) => name.endsWith('running_mean')).length)
  const threeByThree = graph.state.filter(({ shape }) => shape.length === 4 && shape[1] === 1 && shape[2] === 3).map(({ name }) => name.replace(/\.weight$/, ''))
  t.same(depthwise!.nodes, threeByThree, 'the 7 x 7 one at the end is computed by libtorch')
  t.same(rows('bf16', 'cuda').map(({ part }) => part), [norms!.part], 'own loops for depthwise convolution run on the CPU')
  t.same(rows('fp16', 'cpu').map(({ part }) => part), [norms!.part], 'and have no float16')
  t.end()
})

t.test('products of a head in bf16 have a line of their own', (t) => {
  const head = { name: 'ArcFace', gemm: 'bfloat16' }
  const rows = precisionOf({ config: { precision: 'fp32' } as RunConfig, device: 'cpu', plan: { networks: {}, heads: { head }, program: [] } as unknown as ModePlan })
  t.match(rows.find(({ part }) => part === '  products'), { type: 'bfloat16' })
  t.end()
})
