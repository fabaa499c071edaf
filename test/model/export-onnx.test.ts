import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { ops } from '../../lib/graph/ops.js'
import { encodeOnnx } from '../../lib/model/export-onnx.js'
import { EMITTERS } from '../../lib/model/onnx/emit.js'
import type { StateEntry } from '../../lib/graph/types.js'
import type { NativeTensor } from '../../lib/native.js'
import { formulaEntry, readGolden } from '../golden.js'
import { values } from '../golden-values.js'
import { sharedPath } from '../shared.js'

/** The input is the graph's beginning; fused nodes are made for the engine alone, after export would have happened. */
const NOT_EXPORTED = ['input', 'batch_norm', 'batch_norm_act', 'conv2d_act']

t.test('every op of the table that a network may hold has a form in ONNX', (t) => {
  for (const { name } of ops) if (!NOT_EXPORTED.includes(name)) t.ok(name in EMITTERS, name)
  t.ok('batch_norm' in EMITTERS)
  t.end()
})

interface Golden {
  readonly backbone: string
  readonly config: Record<string, unknown>
  readonly input: [number, number, number]
  readonly eval: { readonly embedding: readonly number[] | readonly (readonly number[])[] }
}

function stateTensor({ name, shape, dtype, init }: StateEntry): NativeTensor {
  if (dtype === 'int64') return { name, shape, dtype, data: BigInt64Array.from(init.kind === 'values' ? init.values : [0], BigInt).buffer }
  if (init.kind === 'values') return { name, shape, dtype: 'float32', data: Float32Array.from(init.values).buffer }
  const entry = formulaEntry({ name, shape, dtype: 'float64', data: new ArrayBuffer(0) }, name)
  return { name, shape, dtype: 'float32', data: Float32Array.from(new Float64Array(entry.data)).buffer }
}

const SCRIPT = `
import sys, numpy, onnx, onnxruntime
model, images, shape = sys.argv[1], sys.argv[2], [int(x) for x in sys.argv[3].split(",")]
onnx.checker.check_model(onnx.load(model))
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
out = session.run(None, {"images": numpy.fromfile(images, dtype=numpy.float32).reshape(shape)})[0]
print(",".join(map(repr, out.flatten().tolist())))
`

const python = process.env['FACEX_PYTHON']
/** A convolutional network and a transformer; with FACEX_ALL=1 two more, of forty million weights each. */
const NETWORKS = ['MobileFaceNet', 'Swin-T', ...(process.env['FACEX_ALL'] === '1' ? ['RepVGG_A0', 'EfficientNet-B0'] : [])]
for (const name of NETWORKS) {
  const golden = sharedPath('golden', 'backbones', `${name}.json`)
  const skip = python === undefined ? 'FACEX_PYTHON names no Python with onnxruntime' : golden === undefined ? 'no golden values' : false
  t.test(`${name} gives the published embedding in onnxruntime`, { skip }, (t) => {
    const { backbone, config, input, eval: expected } = readGolden<Golden>(golden!)
    const { graph } = buildBackbone(backbone, config, { input })
    const [, height, width] = input
    const folder = t.testdir()
    const shape = [2, ...input]
    const [model, images] = [path.join(folder, 'model.onnx'), path.join(folder, 'images')]
    writeFileSync(model, encodeOnnx(graph, graph.state.map(stateTensor), { color: 'bgr', mean: 127.5, std: 128, crop: 'full', height, width }))
    writeFileSync(images, Buffer.from(values('input', 2 * input[0] * height * width, 2, -1).buffer))
    const { stdout, stderr, status } = spawnSync(python!, ['-c', SCRIPT, model, images, shape.join(',')], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
    const found = stdout.split(',').map(Number)
    const flat = expected.embedding.flat() as number[]
    const norm = (list: readonly number[]) => Math.sqrt(list.reduce((sum, value) => sum + value * value, 0))
    t.ok(norm(found.map((value, i) => value - flat[i]!)) / norm(flat) < 1e-5)
    t.end()
  })
}
