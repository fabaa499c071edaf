import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { byteLength } from '../../lib/model/formats/dtype.js'
import { readTorchStateDict } from '../../lib/model/formats/torch-state-dict.js'
import { writeTorchFile } from '../../lib/model/formats/torch-writer.js'
import { loadWeights } from '../../lib/model/weights.js'
import { facex } from '../facex.js'

t.test('weights go from PyTorch to a checkpoint and back unchanged', async (t) => {
  const folder = t.testdir()
  const { graph } = buildBackbone('MobileFaceNet')
  const entries = [...graph.state, { name: 'weight', shape: [512, 3], dtype: 'float' as const }]
  const stateDict = entries.map(({ name, shape, dtype }) => {
    const info = { name: `${name === 'weight' ? 'head' : 'backbone'}.${name}`, shape, dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const) }
    return { ...info, data: new Uint8Array(byteLength(info)).fill(name.length).buffer }
  })
  await writeTorchFile(path.join(folder, 'zoo.pt'), { stateDict, values: { epoch: 2, batch_id: 3 } })

  const asking = facex(['convert', 'zoo.pt', 'model.safetensors', '--format', 'checkpoint'], { cwd: folder })
  t.equal(asking.status, 2)
  t.match(asking.stderr, /needs --backbone, --color, --mean and --std/)
  const described = ['--backbone', 'MobileFaceNet', '--color', 'bgr', '--mean', '127.5', '--std', '128']
  t.equal(facex(['convert', 'zoo.pt', 'model.safetensors', '--format', 'checkpoint', ...described], { cwd: folder }).status, 0)
  t.match((await loadWeights(path.join(folder, 'model.safetensors'))).meta, { preprocessing: { color: 'bgr', height: 112 } })
  t.equal(facex(['convert', 'model.safetensors', 'back.pt'], { cwd: folder }).status, 0)
  const { tensors } = await readTorchStateDict(path.join(folder, 'back.pt'))
  t.strictSame(tensors, stateDict)
  t.equal(facex(['convert', 'model.safetensors', 'bare.pth', '--bare'], { cwd: folder }).status, 0)
  t.equal((await readTorchStateDict(path.join(folder, 'bare.pth'))).tensors[0]!.name, graph.state[0]!.name)

  const printed = facex(['inspect', 'model.safetensors'], { cwd: folder })
  t.match(printed.stdout, /format: checkpoint\nbackbone: MobileFaceNet .*\npreprocessing: bgr, \(pixel - 127\.5\) \/ 128, full 112 x 112/)
  const content = JSON.parse(facex(['inspect', 'back.pt', '--json'], { cwd: folder }).stdout) as { format: string; tensors: unknown[] }
  t.match(content, { format: 'torch', values: { epoch: 0 } })
  t.equal(content.tensors.length, stateDict.length)
})

t.test('mistakes on the command line are explained', (t) => {
  t.match(facex(['convert', 'a.pt']), { status: 2, stderr: /needs IN and OUT/ })
  t.match(facex(['convert', 'a.pt', 'b.xyz']), { status: 2, stderr: /unknown extension/ })
  t.match(facex(['convert', 'absent.pt', 'b.pt']), { status: 1, stderr: /absent\.pt: no such file/ })
  t.match(facex(['inspect', 'absent.pt']), { status: 1, stderr: /absent\.pt: no such file/ })
  t.end()
})
