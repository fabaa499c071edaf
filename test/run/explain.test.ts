import t from 'tap'

import { resolveRun } from '../../lib/index.js'
import { memoryLines, precisionLines, scheduleLines } from '../../lib/report/plan-lines.js'
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
  t.ok(peak < weights + gradients + optimizer + activations + logits + loader + checkpoint + process)
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
