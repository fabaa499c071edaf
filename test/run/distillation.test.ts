import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { train, type RunEnd } from '../../lib/index.js'
import { readCheckpoint } from '../../lib/model/checkpoint.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

type Changes = Parameters<typeof tinyConfig>[1]

async function losses(root: string, changes: Changes): Promise<{ end: RunEnd; curve: number[] }> {
  const curve: number[] = []
  const end = await train(tinyConfig(root, changes), { listeners: [{ onEpoch: ({ loss }) => void curve.push(loss) }] })
  return { end, curve }
}

/** Content of the tensors of one part of a checkpoint. */
async function part(file: string, name: string): Promise<Map<string, Buffer>> {
  const { tensors } = await readCheckpoint(file, (tensor) => tensor.name.startsWith(`${name}.`))
  return new Map(tensors.map((tensor) => [tensor.name.slice(name.length + 1), Buffer.from(tensor.data)]))
}

t.test('a student comes near its teacher, which stays as it was', async (t) => {
  const root = await writeTinyFaces()
  const teacher = (await losses(root, { seed: 1 })).end.checkpoint!
  for (const distance of ['cosine', 'l2'] as const) {
    const mode = { name: 'distillation', teacher, distance, head_weight: 0 }
    const { end, curve } = await losses(root, { seed: 2, mode, epochs: 6, optimizer: { name: 'adamw', lr: 2e-3 } })
    t.ok(curve.at(-1)! < 0.7 * curve[0]!, `${distance}: ${curve[0]!.toFixed(3)} falls to ${curve.at(-1)!.toFixed(3)}`)
    t.strictSame(await part(end.checkpoint!, 'teacher'), await part(teacher, 'backbone'), 'weights and running statistics of the teacher')
  }
  const both = await losses(root, { seed: 2, mode: { name: 'distillation', teacher, weight: 5 } })
  t.ok(both.curve.at(-1)! < both.curve[0]!, 'together with the head')
  t.ok((await part(both.end.checkpoint!, 'head')).size > 0)
})

t.test('class probabilities and the features of a layer can be learnt, with a run folder as the teacher', async (t) => {
  const root = await writeTinyFaces()
  const teacher = (await losses(root, { seed: 1 })).end
  const taught = await part(teacher.checkpoint!, 'backbone')
  const mode = { name: 'distillation', teacher: teacher.folder!, distance: 'none', head_weight: 0 }
  const ways = { logits: { temperature: 2, scale: 16 }, hints: [{ student: 'prelu', teacher: 'prelu' }] }
  for (const [way, options] of Object.entries(ways)) {
    const { end, curve } = await losses(root, { seed: 2, mode: { ...mode, [way]: options }, epochs: 6, optimizer: { name: 'adamw', lr: 2e-3 } })
    t.ok(curve.at(-1)! < 0.9 * curve[0]!, `${way}: ${curve[0]!.toFixed(4)} falls to ${curve.at(-1)!.toFixed(4)}`)
    t.strictSame(await part(end.checkpoint!, 'teacher'), taught)
  }
  await t.rejects(losses(root, { mode: { ...mode, hints: [{ student: 'prelo', teacher: 'prelu' }] } }), { code: 'ERR_CONFIG', message: /Tiny has no layer "prelo", did you mean "prelu"\? Its outer layers: conv, bn, prelu/ })
  await t.rejects(losses(root, { mode: { ...mode, hints: [{ student: 'conv', teacher: 'linear' }] } }), { code: 'ERR_CONFIG', message: /mode\.hints\[0\]: expected layers with the same places/ })
  await t.rejects(losses(root, { mode }), { code: 'ERR_CONFIG', message: /expected something to learn from the teacher/ })
})

t.test('class probabilities of other identities are refused', async (t) => {
  const root = await writeTinyFaces()
  const teacher = (await losses(root, { epochs: 1 })).end.checkpoint!
  const others = path.join(root, 'others.txt')
  writeFileSync(others, readFileSync(path.join(root, 'train.txt'), 'utf8').split('\n').filter((line) => / [0-3]$/.test(line)).join('\n'))
  const data = { train: [{ kind: 'list' as const, root, list: others }] }
  await t.rejects(losses(root, { data, mode: { name: 'distillation', teacher, logits: {} } }), { code: 'ERR_CHECKPOINT', message: /trained on other identities \(6 classes, this run has 4\)/ })
})

t.test('a teacher that does not fit is refused', async (t) => {
  const root = await writeTinyFaces()
  const teacher = (await losses(root, { epochs: 1 })).end.checkpoint!
  const student = tinyConfig(root, { mode: { name: 'distillation', teacher } })
  await t.rejects(train({ ...student, data: { ...student.data, color: 'rgb' } }), { code: 'ERR_CHECKPOINT', message: /color: asked for rgb, the weights were trained with bgr/ })
  const missing = path.join(root, 'none.safetensors')
  await t.rejects(train(tinyConfig(root, { mode: { name: 'distillation', teacher: missing } })), { code: 'ERR_CHECKPOINT', message: /none\.safetensors/ })
})
