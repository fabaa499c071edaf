import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { writeCheckpoint } from '../../lib/model/checkpoint.js'
import { byteLength } from '../../lib/model/formats/dtype.js'
import { writeSafetensors } from '../../lib/model/formats/safetensors.js'
import { writeTorchFile } from '../../lib/model/formats/torch-writer.js'
import { fitBackbone, fitHead } from '../../lib/model/fit-weights.js'
import { listKeyMaps, translate } from '../../lib/model/key-maps.js'
import { checkPreprocessing, type Preprocessing } from '../../lib/model/preprocessing.js'
import { loadWeights } from '../../lib/model/weights.js'
import type { NativeTensor } from '../../lib/native.js'
import { checkpoint, floats } from './tensors.js'

const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }
const { graph } = buildBackbone('MobileFaceNet')

/** Zeros for every entry of MobileFaceNet. */
function stateOf(prefix = ''): NativeTensor[] {
  return graph.state.map(({ name, shape, dtype }) => {
    const info = { name: `${prefix}${name}`, shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
    return { ...info, data: new ArrayBuffer(byteLength(info)) }
  })
}

t.test('every format and every usual prefix leads to the same names', async (t) => {
  const folder = t.testdir()
  const expected = graph.state.map(({ name }) => name)
  for (const prefix of ['', 'module.', 'backbone.', 'module.backbone.', 'feat_net.', 'backbone.module.', '_orig_mod.backbone.']) {
    const safe = path.join(folder, 'a.safetensors')
    await writeSafetensors(safe, stateOf(prefix))
    const torch = path.join(folder, 'a.pt')
    await writeTorchFile(torch, { stateDict: stateOf(prefix), values: {} })
    for (const file of [safe, torch]) {
      const { backbone } = await loadWeights(file)
      t.equal(fitBackbone(graph, backbone, { file }).tensors.length, expected.length, `${prefix} in ${path.basename(file)}`)
    }
  }
})

t.test('a safetensors file is recognised whatever the length of its header', async (t) => {
  const file = path.join(t.testdir(), 'a.safetensors')
  for (let length = 0; length < 300; length += 8) {
    await writeSafetensors(file, [floats('backbone.w', [1], [1])], { note: 'x'.repeat(length) })
    t.equal((await loadWeights(file)).format, 'safetensors')
  }
})

t.test('of a checkpoint the moving average is taken where there is one', async (t) => {
  const file = path.join(t.testdir(), 'a.safetensors')
  const { meta } = checkpoint()
  const tensors = [floats('backbone.w', [1], [1]), floats('average.w', [1], [2]), floats('head.weight', [1], [3]), floats('optimizer.momentum.backbone.w', [1], [4])]
  await writeCheckpoint(file, { meta, tensors })
  const weights = await loadWeights(file, { head: true })
  t.equal(weights.format, 'checkpoint')
  t.strictSame(weights.meta, meta)
  t.equal(new Float32Array(weights.backbone[0]!.data)[0], 2)
  t.equal(new Float32Array(weights.head[0]!.data)[0], 3)
  t.strictSame((await loadWeights(file)).head, [])
})

t.test('missing, unexpected and mismatched entries are listed; partial loading takes what fits', (t) => {
  const state = stateOf().filter(({ name }) => !name.endsWith('num_batches_tracked'))
  t.equal(fitBackbone(graph, state, { file: 'f' }).tensors.length, graph.state.length, 'counters of batches may be missing')
  const [first, second, ...rest] = state as [NativeTensor, NativeTensor, ...NativeTensor[]]
  const wrong = [{ ...second, shape: [1] }, floats('extra', [1], [0]), ...rest]
  t.throws(() => fitBackbone(graph, wrong, { file: 'f.pt' }), {
    ...ERROR,
    message: /^f\.pt: .*MobileFaceNet/,
    problems: [`missing: ${first.name} [${first.shape.join(', ')}]`, /^mismatched: .*expected \[.*found \[1\]/, 'unexpected: extra [1]'],
  })
  const partial = fitBackbone(graph, wrong, { file: 'f.pt', partial: true })
  t.equal(partial.tensors.length, graph.state.length - 2)
  t.equal(partial.messages.length, 3)
  t.throws(() => fitBackbone(graph, [floats('extra', [1], [0])], { file: 'f.pt', partial: true }), { ...ERROR, message: /no entry fits/ })
  t.end()
})

t.test('class centres turn to the layout of the head', (t) => {
  const state = [{ name: 'weight', shape: [3, 2] }]
  const turned = fitHead(state, [floats('weight', [2, 3], [1, 2, 3, 4, 5, 6])], { file: 'f' })
  t.strictSame([...new Float32Array(turned.tensors[0]!.data)], [1, 4, 2, 5, 3, 6])
  t.strictSame(turned.tensors[0]!.shape, [3, 2])
  const same = fitHead(state, [floats('weight', [3, 2], [1, 2, 3, 4, 5, 6])], { file: 'f' })
  t.strictSame([...new Float32Array(same.tensors[0]!.data)], [1, 2, 3, 4, 5, 6])
  t.throws(() => fitHead(state, [floats('weight', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])], { file: 'f' }), { ...ERROR, message: /expected \[3, 2\], found \[4, 2\]|no entry fits head/ })
  t.end()
})

t.test("insightface's numbered MobileFaceNet has a name for every entry", (t) => {
  const map = listKeyMaps().find(({ name }) => name === 'insightface-mbf')!
  const names = insightfaceNames()
  const ours = graph.state.map(({ name }) => name)
  t.strictSame(names.map((name) => translate(map, name)).sort(), ours.toSorted())
  const shapes = new Map(graph.state.map((entry) => [entry.name, entry]))
  const tensors = names.map((name) => {
    const { shape, dtype } = shapes.get(translate(map, name))!
    const info = { name, shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
    return { ...info, data: new ArrayBuffer(byteLength(info)) }
  })
  t.match(fitBackbone(graph, tensors, { file: 'f' }), { keyMap: 'insightface-mbf', messages: [] })
  t.end()
})

/** The state dict of that project's network, from its structure. */
function insightfaceNames(): string[] {
  const norm = (prefix: string) => ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((name) => `${prefix}.${name}`)
  const linear = (prefix: string) => [`${prefix}.layers.0.weight`, ...norm(`${prefix}.layers.1`)]
  const conv = (prefix: string) => [...linear(prefix), `${prefix}.layers.2.weight`]
  const deep = (prefix: string) => [...conv(`${prefix}.layers.0`), ...conv(`${prefix}.layers.1`), ...linear(`${prefix}.layers.2`)]
  const residual = (prefix: string, blocks: number) => Array.from({ length: blocks }, (_, i) => deep(`${prefix}.layers.${i}`)).flat()
  const body = [conv('layers.0'), conv('layers.1'), deep('layers.2'), residual('layers.3', 4), deep('layers.4'), residual('layers.5', 6), deep('layers.6'), residual('layers.7', 2)]
  return [...body.flat(), ...conv('conv_sep'), ...linear('features.layers.0'), 'features.layers.2.weight', ...norm('features.layers.3')]
}

t.test('preprocessing that disagrees is an error that says both sides', (t) => {
  const found: Preprocessing = { color: 'rgb', mean: 127.5, std: 128, crop: 'full', height: 112, width: 112 }
  checkPreprocessing({}, found, 'f')
  checkPreprocessing({ color: 'rgb', mean: 127.5 }, found, 'f')
  t.throws(() => checkPreprocessing({ color: 'bgr', std: 127.5 }, found, 'f.pt'), {
    ...ERROR,
    message: /f\.pt: the weights expect rgb, \(pixel - 127\.5\) \/ 128/,
    problems: [/color: asked for bgr, the weights were trained with rgb/, /std: asked for 127\.5, the weights were trained with 128/],
  })
  t.end()
})
