import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import t from 'tap'

import { packageRoot } from '../../lib/setup/places.js'
import { readTorchStateDict } from '../../lib/model/formats/torch-state-dict.js'
import { writeTorchFile } from '../../lib/model/formats/torch-writer.js'
import { loadWeights } from '../../lib/model/weights.js'
import type { NativeTensor } from '../../lib/native.js'
import { checkpoint } from './tensors.js'
import { numbersOf } from './numbers.js'

const FOLDER = path.join(packageRoot(), 'test', 'model', 'fixtures', 'torch')
const ERROR = { name: 'FacexError', code: 'ERR_CHECKPOINT' }

interface Expected {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

const expected = JSON.parse(readFileSync(path.join(FOLDER, 'expected.json'), 'utf8')) as Record<string, Record<string, Expected>>

function described(tensors: readonly NativeTensor[]): Record<string, Expected> {
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, { dtype: tensor.dtype, shape: [...tensor.shape], values: numbersOf(tensor) }]))
}

/** Booleans travel as bytes. */
function asRead(entries: Record<string, Expected>): Record<string, Expected> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, { ...entry, dtype: entry.dtype === 'bool' ? 'uint8' : entry.dtype }]))
}

for (const [name, content] of Object.entries(expected)) {
  t.test(`${name} reads as PyTorch wrote it`, async (t) => {
    const { tensors } = await readTorchStateDict(path.join(FOLDER, name))
    const prefixed = name === 'parallel.pt' ? Object.fromEntries(Object.entries(asRead(content)).map(([key, value]) => [`module.${key}`, value])) : asRead(content)
    t.strictSame(described(tensors), prefixed)
  })
}

t.test('prefixes of wrappers fall off, backbone and head come apart', async (t) => {
  const parallel = await loadWeights(path.join(FOLDER, 'parallel.pt'))
  t.equal(parallel.format, 'torch')
  t.ok(parallel.backbone.some(({ name }) => name === 'conv.weight'))
  for (const name of ['face-zoo.pt', 'face-zoo-legacy.pth', 'partial-fc.pt']) {
    const { backbone, head } = await loadWeights(path.join(FOLDER, name), { head: true })
    t.ok(backbone.some((tensor) => tensor.name === 'conv.weight'), name)
    t.strictSame(head.map((tensor) => tensor.name), ['weight'], name)
  }
})

t.test('plain values beside the state dict are read', async (t) => {
  const { values } = await readTorchStateDict(path.join(FOLDER, 'partial-fc.pt'))
  t.strictSame([values.get('epoch'), values.get('global_step'), values.get('best')], [1, 12, 0.5])
})

t.test('what would run code is refused and named', async (t) => {
  await t.rejects(readTorchStateDict(path.join(FOLDER, 'module.pt')), { ...ERROR, message: /__main__\.Network.*not allowed/ })
  await t.rejects(readTorchStateDict(path.join(FOLDER, 'evil.pt')), { ...ERROR, message: /__builtin__\.eval|builtins\.eval/ })
  const file = path.join(t.testdir(), 'system.pth')
  await writeFile(file, '\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.', 'latin1')
  await t.rejects(readTorchStateDict(file), { ...ERROR, message: /posix\.system/ })
})

t.test('a written file reads back', async (t) => {
  const { tensors } = checkpoint()
  const file = path.join(t.testdir(), 'written.pt')
  await writeTorchFile(file, { stateDict: tensors, values: { epoch: 3, batch_id: 2 ** 40, lr: 0.1 } })
  const read = await readTorchStateDict(file)
  t.strictSame(
    read.tensors.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data) })),
    tensors.map((tensor) => ({ ...tensor, data: Buffer.from(tensor.data) })),
  )
  t.strictSame([...read.values], [['epoch', 3], ['batch_id', 2 ** 40], ['lr', 0.1]])
})

const python = process.env['FACEX_PYTHON']
t.test('torch.load(weights_only=True) reads a written file', { skip: python === undefined && 'FACEX_PYTHON names no Python with torch' }, async (t) => {
  const { tensors } = checkpoint()
  const file = path.join(t.testdir(), 'written.pt')
  await writeTorchFile(file, { stateDict: tensors, values: { epoch: 3, batch_id: 40 } })
  const script = `
import json, sys, torch
content = torch.load(sys.argv[1], weights_only=True)
state = content["state_dict"]
print(json.dumps({"type": type(state).__name__, "epoch": content["epoch"], "batch_id": content["batch_id"],
  "tensors": {k: {"dtype": str(v.dtype)[6:], "shape": list(v.shape), "bytes": v.contiguous().flatten().view(torch.uint8).tolist()} for k, v in state.items()}}))`
  const { stdout, stderr } = spawnSync(python!, ['-c', script, file], { encoding: 'utf8' })
  t.equal(stderr, '')
  t.strictSame(JSON.parse(stdout), {
    type: 'OrderedDict',
    epoch: 3,
    batch_id: 40,
    tensors: Object.fromEntries(tensors.map(({ name, dtype, shape, data }) => [name, { dtype, shape, bytes: [...new Uint8Array(data)] }])),
  })
})
