import path from 'node:path'

import sharp from 'sharp'
import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { convertWeights } from '../../lib/model/convert.js'
import { byteLength } from '../../lib/model/formats/dtype.js'
import { readTorchStateDict } from '../../lib/model/formats/torch-state-dict.js'
import { writeTorchFile } from '../../lib/model/formats/torch-writer.js'
import { loadModel } from '../../lib/model/model.js'
import { namedBackbone } from '../../lib/model/network.js'
import { loadWeights } from '../../lib/model/weights.js'
import { facexHere } from '../facex.js'
import { distance, loadFormula, networkOf } from '../native/golden-network.js'

t.test('weights go from PyTorch to a checkpoint and back unchanged', async (t) => {
  const folder = t.testdir()
  const { graph } = buildBackbone('MobileFaceNet')
  const entries = [...graph.state, { name: 'weight', shape: [512, 3], dtype: 'float' as const }]
  const stateDict = entries.map(({ name, shape, dtype }) => {
    const info = { name: `${name === 'weight' ? 'head' : 'backbone'}.${name}`, shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
    return { ...info, data: new Uint8Array(byteLength(info)).fill(name.length).buffer }
  })
  await writeTorchFile(path.join(folder, 'zoo.pt'), { stateDict, values: { epoch: 2, batch_id: 3 } })

  const asking = await facexHere(['convert', 'zoo.pt', 'model.safetensors', '--format', 'checkpoint'], { cwd: folder })
  t.equal(asking.status, 2)
  t.match(asking.stderr, /needs --backbone, --color, --mean and --std/)
  const place = await facexHere(['convert', 'zoo.pt', 'model.pt', '--color', 'bgr', '--mean', '127.5', '--std', '128'], { cwd: folder })
  t.match(place, { status: 2, stderr: /have no place in a torch file/ })
  const described = ['--alignment', 'arcface', '--backbone', 'MobileFaceNet', '--color', 'bgr', '--mean', '127.5', '--std', '128']
  t.equal((await facexHere(['convert', 'zoo.pt', 'model.safetensors', ...described], { cwd: folder })).status, 0)
  t.match((await loadWeights(path.join(folder, 'model.safetensors'))).meta, { preprocessing: { color: 'bgr', height: 112 } })
  t.equal((await facexHere(['convert', 'model.safetensors', 'back.pt'], { cwd: folder })).status, 0)
  const { tensors } = await readTorchStateDict(path.join(folder, 'back.pt'))
  // Of an ArrayBuffer tap compares nothing.
  const contents = (list: readonly { readonly data: ArrayBuffer }[]) => list.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data) }))
  t.strictSame(contents(tensors), contents(stateDict))
  t.equal((await facexHere(['convert', 'model.safetensors', 'bare.pth', '--bare'], { cwd: folder })).status, 0)
  t.equal((await readTorchStateDict(path.join(folder, 'bare.pth'))).tensors[0]!.name, graph.state[0]!.name)

  const printed = await facexHere(['inspect', 'model.safetensors'], { cwd: folder })
  t.match(printed.stdout, /format: checkpoint\nbackbone: MobileFaceNet .*\npreprocessing: bgr, \(pixel - 127\.5\) \/ 128, full 112 x 112, aligned to arcface/)
  t.match(await facexHere(['convert', 'model.safetensors', 'other.pt', '--color', 'rgb', '--mean', '127.5', '--std', '128'], { cwd: folder }), { status: 1, stderr: /color: asked for rgb, the weights were trained with bgr/ })
  const content = JSON.parse((await facexHere(['inspect', 'back.pt', '--json'], { cwd: folder })).stdout) as { format: string; tensors: unknown[] }
  t.match(content, { format: 'torch', values: { epoch: 0 } })
  t.equal(content.tensors.length, stateDict.length)
})

t.test("a key map of the user's own translates the names of another project", async (t) => {
  const folder = t.testdir({ 'theirs.yaml': "backbone: MobileFaceNet\nsummary: a project that says first\nrules:\n  '^first\\.(.*)$': conv1.$1\n" })
  const stateDict = buildBackbone('MobileFaceNet').graph.state.map(({ name, shape, dtype }) => {
    const info = { name: name.replace(/^conv1\./, 'first.'), shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
    return { ...info, data: new ArrayBuffer(byteLength(info)) }
  })
  await writeTorchFile(path.join(folder, 'theirs.pt'), { stateDict, values: {} })
  const convert = (...options: string[]) => facexHere(['convert', 'theirs.pt', 'ours.pt', ...options], { cwd: folder })
  t.match(await convert('--backbone', 'MobileFaceNet'), { status: 1, stderr: /missing: conv1\.conv\.weight.*unexpected: first\.conv\.weight/s })
  t.match(await convert('--backbone', 'MobileFaceNet', '--key_map', 'theirs.yaml'), { status: 0, stderr: /names translated by theirs/ })
  t.match(await convert('--key_map', 'theirs.yaml'), { status: 2, stderr: /--key_map needs --backbone/ })
})

t.test('a deployed network gives the same embeddings in every command that uses weights', async (t) => {
  const folder = t.testdir()
  const options = ['--set', 'feat_dim=32', '--set', 'blocks3=2', '--set', 'width4=1', '--set', 'out_h=2', '--set', 'out_w=2']
  const { graph } = buildBackbone('RepVGG', { feat_dim: 32, blocks3: 2, width4: 1, out_h: 2, out_w: 2 })
  const network = networkOf(graph, 'float32')
  loadFormula(network, graph, 'float32')
  const state = network.state()
  await writeTorchFile(path.join(folder, 'trained.pt'), { stateDict: state, values: {} })
  const at = (file: string) => path.join(folder, file)
  const backbone = namedBackbone('RepVGG_A0', options.filter((word) => word !== '--set'))
  await convertWeights(at('trained.pt'), at('trained.safetensors'), { format: 'checkpoint', backbone, pixels: { color: 'bgr', mean: 127.5, std: 128 } })
  t.equal((await facexHere(['convert', 'trained.safetensors', 'deployed.safetensors', '--deploy'], { cwd: folder })).status, 0)
  await convertWeights(at('trained.pt'), at('deployed.pt'), { deploy: true, backbone })
  await convertWeights(at('deployed.safetensors'), at('again.safetensors'), { deploy: true })
  await t.rejects(convertWeights(at('trained.pt'), at('x.pt'), { deploy: true }), { code: 'ERR_USAGE', message: /--deploy of them needs --backbone/ })

  const face = path.join(folder, 'face.png')
  await sharp(Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 31) % 251), { raw: { width: 32, height: 32, channels: 3 } }).png().toFile(face)
  const trained = await loadModel(path.join(folder, 'trained.safetensors'))
  const expected = await trained.embed([face])
  const preprocessing = { color: 'bgr' } as const
  for (const [file, named] of [['deployed.safetensors', {}], ['again.safetensors', {}], ['deployed.pt', { backbone: 'RepVGG', set: options.filter((word) => word !== '--set'), preprocessing }]] as const) {
    const deployed = await loadModel(path.join(folder, file), named)
    t.ok(distance(await deployed.embed([face]), expected) < 1e-5, file)
    deployed.dispose()
  }
  const names = (await loadWeights(path.join(folder, 'deployed.safetensors'))).backbone.map(({ name }) => name)
  t.ok(names.includes('stage0.rbr_reparam.weight') && !names.some((name) => name.includes('rbr_dense')), 'one convolution a block')
  const exported = await facexHere(['export', '--weights', 'deployed.safetensors', '--out', 'deployed.onnx'], { cwd: folder })
  t.match(exported, { status: 0, stderr: /deployed\.onnx: \d+ bytes/ })
  trained.dispose()
})

t.test('mistakes on the command line are explained', async (t) => {
  t.match(await facexHere(['convert', 'a.pt']), { status: 2, stderr: /needs IN and OUT/ })
  t.match(await facexHere(['convert', 'a.pt', 'b.xyz']), { status: 2, stderr: /unknown extension/ })
  t.match(await facexHere(['convert', 'absent.pt', 'b.pt']), { status: 1, stderr: /absent\.pt: no such file/ })
  t.match(await facexHere(['inspect', 'absent.pt']), { status: 1, stderr: /absent\.pt: no such file/ })
})
