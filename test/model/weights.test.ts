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

/** The names of another project for a configuration of MobileFaceNet, and the name of the key map that knows them. */
const LAYOUTS: readonly [title: string, config: object, names: string[], map: string][] = [
  ["insightface's mbf", { scale: 2 }, insightfaceNames([1, 4, 6, 2]), 'insightface-mbf'],
  ["insightface's mbf_large", { scale: 4, blocks: [2, 8, 12, 4] }, insightfaceNames([2, 8, 12, 4]), 'insightface-mbf'],
  ['the network in one list of blocks', { feat_dim: 128, out_w: 6 }, listedNames(), 'mobilefacenet-blocks'],
]

for (const [title, config, names, keyMap] of LAYOUTS) {
  t.test(`${title} has a name for every entry, and loads`, (t) => {
    const { graph } = buildBackbone('MobileFaceNet', config)
    const map = listKeyMaps().find(({ name }) => name === keyMap)!
    t.strictSame(names.map((name) => translate(map, name)).sort(), graph.state.map(({ name }) => name).sort())
    const entries = new Map(graph.state.map((entry) => [entry.name, entry]))
    const tensors = names.map((name) => {
      const { shape, dtype } = entries.get(translate(map, name))!
      const info = { name, shape: name.startsWith('linear1.conv') ? [...shape, 1, 1] : shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
      return { ...info, data: new ArrayBuffer(byteLength(info)) }
    })
    t.match(fitBackbone(graph, tensors, { file: 'f' }), { keyMap, messages: [] })
    t.end()
  })
}

function norm(prefix: string): string[] {
  return ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((name) => `${prefix}.${name}`)
}

/** The state dict of insightface's network, from its structure. */
function insightfaceNames([first, ...blocks]: [number, number, number, number]): string[] {
  const linear = (prefix: string) => [`${prefix}.layers.0.weight`, ...norm(`${prefix}.layers.1`)]
  const conv = (prefix: string) => [...linear(prefix), `${prefix}.layers.2.weight`]
  const deep = (prefix: string) => [...conv(`${prefix}.layers.0`), ...conv(`${prefix}.layers.1`), ...linear(`${prefix}.layers.2`)]
  const residual = (prefix: string, blocks: number) => Array.from({ length: blocks }, (_, i) => deep(`${prefix}.layers.${i}`)).flat()
  const stages = blocks.flatMap((count, i) => [...deep(`layers.${2 + 2 * i}`), ...residual(`layers.${3 + 2 * i}`, count)])
  const start = [...conv('layers.0'), ...(first === 1 ? conv('layers.1') : residual('layers.1', first))]
  return [...start, ...stages, ...conv('conv_sep'), ...linear('features.layers.0'), 'features.layers.2.weight', ...norm('features.layers.3')]
}

/** The state dict of MobileFaceNet_Pytorch, from its structure. */
function listedNames(): string[] {
  const linear = (prefix: string) => [`${prefix}.conv.weight`, ...norm(`${prefix}.bn`)]
  const conv = (prefix: string) => [...linear(prefix), `${prefix}.prelu.weight`]
  const convolution = (prefix: string, first: number) => [`${prefix}.${first}.weight`, ...norm(`${prefix}.${first + 1}`)]
  const block = (prefix: string) => [...convolution(prefix, 0), `${prefix}.2.weight`, ...convolution(prefix, 3), `${prefix}.5.weight`, ...convolution(prefix, 6)]
  const blocks = Array.from({ length: 15 }, (_, i) => block(`blocks.${i}.conv`)).flat()
  return [...conv('conv1'), ...conv('dw_conv1'), ...blocks, ...conv('conv2'), ...linear('linear7'), ...linear('linear1')]
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
