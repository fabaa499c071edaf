/** Weights travel to a PyTorch network and back, with the embeddings as witness. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { fitBackbone } from '../../lib/model/fit-weights.js'
import { writeTorchFile } from '../../lib/model/formats/torch-writer.js'
import { loadWeights } from '../../lib/model/weights.js'
import { packageRoot } from '../../lib/setup/places.js'
import { contentOf, distance, images, networkOf } from '../native/golden-network.js'

const python = process.env['FACEX_PYTHON']

/**
 * Loads facex's file strictly and embeds, trains a step so that the weights are PyTorch's own, embeds again, and saves in
 * both formats as people do.
 */
const SCRIPT = `
import json, sys, torch
sys.path.insert(0, sys.argv[1])
from make_backbones import MobileFaceNet, tensor
content = torch.load(sys.argv[2], weights_only=True)
net = MobileFaceNet(2, [1, 2, 1, 1], 32, 3)
net.load_state_dict({key.removeprefix("backbone."): value for key, value in content["state_dict"].items() if key.startswith("backbone.")}, strict=True)
x = tensor("input", (2, 3, 48, 48), 2, -1)
with torch.no_grad():
    loaded = net.eval()(x)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net.train()(x).square().mean().backward()
optimizer.step()
with torch.no_grad():
    trained = net.eval()(x)
class FaceModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = net
        self.head = torch.nn.Linear(32, 7, bias=False)
wrapped = torch.nn.DataParallel(FaceModel())
torch.save({"state_dict": wrapped.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "batch_id": 9}, sys.argv[3])
torch.save({"state_dict": wrapped.module.state_dict(), "epoch": 3}, sys.argv[4], _use_new_zipfile_serialization=False)
print(json.dumps({"keys": sorted(content), "loaded": loaded.flatten().tolist(), "trained": trained.flatten().tolist()}))
`

t.test('a PyTorch network loads our file strictly, and we load what it saves in both formats', { skip: python === undefined && 'FACEX_PYTHON names no Python with torch' }, async (t) => {
  const folder = t.testdir()
  const file = (name: string) => path.join(folder, name)
  const { graph, input } = buildBackbone('MobileFaceNet', { scale: 2, blocks: [1, 2, 1, 1], feat_dim: 32, out_h: 3, out_w: 3 })
  const network = networkOf(graph, 'float32')
  network.initialise(3)
  const embed = async () => contentOf(await network.infer(images('input', 2, input, 'float32'), 'embedding'))
  const own = await embed()
  const head = { name: 'head.weight', dtype: 'float32' as const, shape: [32, 7], data: new ArrayBuffer(4 * 32 * 7) }
  await writeTorchFile(file('ours.pt'), { stateDict: [...network.state().map((tensor) => ({ ...tensor, name: `backbone.${tensor.name}` })), head], values: { epoch: 2, batch_id: 5 } })

  const fixtures = path.join(packageRoot(), 'test', 'fixtures')
  const { stdout, stderr, status } = spawnSync(python!, ['-B', '-c', SCRIPT, fixtures, file('ours.pt'), file('zip.pt'), file('legacy.pth')], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  const theirs = JSON.parse(stdout) as { keys: string[]; loaded: number[]; trained: number[] }
  t.strictSame(theirs.keys, ['batch_id', 'epoch', 'state_dict'])
  t.ok(distance(own, theirs.loaded) < 1e-5, 'the same embeddings in PyTorch')

  for (const name of ['zip.pt', 'legacy.pth']) {
    const weights = await loadWeights(file(name), { head: true })
    t.strictSame(weights.head.map(({ name, shape }) => [name, [...shape]]), [['weight', [7, 32]]])
    network.load(fitBackbone(graph, weights.backbone, { file: name }).tensors)
    t.ok(distance(await embed(), theirs.trained) < 1e-5, `the same embeddings from ${name}`)
  }
  t.notSame(theirs.trained, theirs.loaded)
  network.dispose()
})
