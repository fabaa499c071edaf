import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { fuseNorm } from '../../lib/graph/passes/index.js'
import type { Recomputation } from '../../lib/graph/memory.js'
import type { Graph } from '../../lib/graph/types.js'
import type { NativeNetwork, NativeTensor } from '../../lib/native.js'
import { DEVICE } from './device.js'
import { makeNetwork, noise, numbers, scalars, SmallGraph, tensor } from './network-runner.js'
import type { Precision } from './network-runner.js'

const FLOAT32: Precision = { master: 'float32', compute: 'float32' }

/** Two blocks of MobileFaceNet's kind at 16 x 16, through every fused form. */
function smallNet(): Graph {
  const small = new SmallGraph()
  const x = small.operand('x', [6, 8, 8])
  const conv = (name: string, input: typeof x, groups = 1) =>
    small.add('conv2d', [input], { padding: [1, 1], groups }, { weight: small.entry(name, [6, 6 / groups, 3, 3], []) })
  const expand = small.add('batch_norm', [conv('expand', x)], {}, small.batchNorm('bn1', 6))
  const bent = small.add('prelu', [expand], {}, { weight: small.entry('slope', [6], []) })
  const filter = small.add('batch_norm', [conv('filter', bent, 6)], {}, small.batchNorm('bn2', 6))
  const sum = small.add('add', [bent, filter])
  const project = small.add('batch_norm', [conv('project', small.add('relu', [sum]))], {}, small.batchNorm('bn3', 6))
  const noisy = small.add('dropout', [small.add('hard_swish', [small.add('add', [project, x])])], { p: 0.3 })
  const weight = small.entry('head', [5, 384], [])
  const graph = small.finish(small.add('linear', [small.add('flatten', [noisy])], {}, { weight }))
  const init = { kind: 'uniform', low: -0.4, high: 0.6 } as const
  return { ...graph, state: graph.state.map((entry) => (entry.kind === 'parameter' ? { ...entry, init } : /running_var/.test(entry.name) ? { ...entry, init: { kind: 'constant', value: 1 } } : entry)) }
}

const images = scalars([0.4, -0.7, 0.9, 0.1])
const grad = tensor('grad', 'float64', [4, 5], noise('grad', 20))

function trainOnce(network: NativeNetwork, randomKey?: number): Record<string, number[]> {
  const { output, grads } = network.forwardBackward(images, 'output', grad, randomKey)
  return Object.fromEntries([['output', numbers(output)], ...grads.map((tensor) => [tensor.name, numbers(tensor)])])
}

function made(graph: Graph, precision?: Precision, again?: Partial<Recomputation>): NativeNetwork {
  const network = makeNetwork(graph, precision, again)
  network.initialise(5)
  return network
}

/** Largest difference over all entries, relative to the largest value of each. */
function farthest(found: Record<string, number[]>, expected: Record<string, number[]>): number {
  return Math.max(
    ...Object.entries(expected).map(([name, values]) => {
      const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12)
      return values.reduce((most, value, i) => Math.max(most, Math.abs(value - found[name]![i]!)), 0) / size
    }),
  )
}

/** With contents that tap compares: of an ArrayBuffer it sees none. */
const stateOf = (network: NativeNetwork) => network.state().map((entry) => ({ ...entry, data: Buffer.from(entry.data) }))

t.test('the same seed gives the same weights, another seed gives others', async (t) => {
  const [a, b, c] = [made(smallNet()), made(smallNet()), makeNetwork(smallNet())]
  c.initialise(6)
  t.same(stateOf(a), stateOf(b))
  t.not(Buffer.from(a.state()[1]!.data).equals(Buffer.from(c.state()[1]!.data)), true)
})

t.test('the same step on the same threads gives the same bits', async (t) => {
  for (const precision of [FLOAT32, { master: 'float32', compute: 'bfloat16' }] as const) {
    t.same(trainOnce(made(fuseNorm(smallNet()), precision), 3), trainOnce(made(fuseNorm(smallNet()), precision), 3))
  }
})

t.test('stages that are computed again change no bit of results, gradients and running statistics', async (t) => {
  const graph = fuseNorm(smallNet())
  const all = graph.nodes.slice(1).map(({ id }) => id)
  for (const precision of [FLOAT32, { master: 'float32', compute: 'bfloat16' }] as const) {
    const whole = made(graph, precision)
    const expected = trainOnce(whole, 3)
    for (const stages of [...all.map((id) => [id]), all.filter((id) => id % 3 === 0), all]) {
      const network = made(graph, precision, { stages })
      t.same([trainOnce(network, 3), stateOf(network)], [expected, stateOf(whole)], `stages from ${stages.join(', ')}`)
    }
  }
})

t.test('values that are computed again change no bit of results, gradients and running statistics, within stages too', { skip: DEVICE !== 'cpu' && 'on CUDA batch norm rounds differently the second time' }, async (t) => {
  for (const graph of [smallNet(), fuseNorm(smallNet())]) {
    const inner = graph.nodes.slice(1, -1).map(({ id }) => id)
    for (const precision of [FLOAT32, { master: 'float32', compute: 'bfloat16' }] as const) {
      const whole = made(graph, precision)
      const expected = trainOnce(whole, 3)
      for (const recomputed of [...inner.map((id) => [id]), inner.filter((id) => id % 2 === 0), inner]) {
        for (const stages of [[], inner.filter((id) => id % 3 === 0)]) {
          const network = made(graph, precision, { stages, recomputed })
          t.same([trainOnce(network, 3), stateOf(network)], [expected, stateOf(whole)], `${recomputed.join(', ')} in stages from ${stages.join(', ')}`)
        }
      }
    }
  }
})

t.test('input and output are not computed again', async (t) => {
  const graph = smallNet()
  for (const id of [0, graph.nodes.length - 1, graph.nodes.length]) t.throws(() => made(graph, FLOAT32, { recomputed: [id] }), { code: 'ERR_GRAPH', message: /got node/ })
})

t.test('stages that are not in order are refused', async (t) => {
  const graph = smallNet()
  for (const stages of [[0], [3, 3], [graph.nodes.length]]) t.throws(() => made(graph, FLOAT32, { stages }), { code: 'ERR_GRAPH', message: /stages to start at increasing nodes/ })
})

t.test('dropout follows its random key and leaves out about the asked share', async (t) => {
  const network = made(smallNet())
  t.ok(farthest(trainOnce(network, 1), trainOnce(network, 1)) < (DEVICE === 'cpu' ? 1e-300 : 1e-9), 'cuDNN adds up in any order')
  t.ok(farthest(trainOnce(network, 1), trainOnce(network, 2)) > 1e-3)
  const small = new SmallGraph()
  const dropped = made(small.finish(small.add('dropout', [small.operand('x', [4000])], { p: 0.3 })))
  const ones = tensor('x', 'float64', [1, 4000], Array(4000).fill(1))
  dropped.load([ones])
  const { output } = dropped.forwardBackward(scalars([0]), 'output', tensor('grad', 'float64', [1, 4000], Array(4000).fill(1)), 9)
  const zeros = numbers(output).filter((value) => value === 0).length
  t.ok(zeros > 1100 && zeros < 1300, `${zeros} of 4000`)
  t.ok(numbers(output).every((value) => value === 0 || Math.abs(value - 1 / 0.7) < 1e-6))
})

t.test('a fused graph computes what the graph as written computes', async (t) => {
  const graph = smallNet()
  const fused = fuseNorm(graph)
  t.same(fused.nodes.filter((node) => node.op === 'batch_norm_act').map((node) => node.attrs['activation']), ['prelu', 'relu', 'hard_swish'])
  t.ok(!fused.nodes.some((node) => node.op === 'batch_norm'))
  const [written, joined] = [made(graph), made(fused)]
  t.ok(farthest(trainOnce(joined), trainOnce(written)) < 1e-12)
  const state = (network: NativeNetwork) => Object.fromEntries(network.state().map((entry) => [entry.name, numbers(entry)]))
  t.ok(farthest(state(joined), state(written)) < 1e-12, 'running statistics too')
  t.ok(farthest({ y: numbers(await joined.infer(images, 'output')) }, { y: numbers(await written.infer(images, 'output')) }) < 1e-12)
})

t.test('bfloat16 stays close to float32', async (t) => {
  const { graph, input } = buildBackbone('MobileFaceNet', { feat_dim: 64 })
  const pixels = Uint8Array.from(noise('pixels', 2 * input[0] * input[1] * input[2]), (value) => 128 + 127 * value)
  const picture: NativeTensor = { name: 'images', dtype: 'uint8', shape: [2, input[1], input[2], input[0]], data: pixels.buffer }
  const embed = async (precision: Precision) => numbers(await made(fuseNorm(graph), precision).infer(picture, 'embedding'))
  const [exact, rough] = [await embed(FLOAT32), await embed({ master: 'float32', compute: 'bfloat16' })]
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  const cosine = dot(exact, rough) / Math.sqrt(dot(exact, exact) * dot(rough, rough))
  t.ok(cosine > 0.995, `cosine ${cosine}`)
})

t.test('pixels are normalised to (x - mean) * scale', async (t) => {
  const small = new SmallGraph()
  const network = makeNetwork({ ...small.finish(small.operand('x', [1])), nodes: [{ id: 0, op: 'input', inputs: [], params: {}, attrs: { dims: [3, 1, 2] }, shape: { batch: 1, dims: [3, 1, 2] }, path: 'input' }], outputs: { output: 0 } })
  const result = await network.infer({ name: 'images', dtype: 'uint8', shape: [1, 1, 2, 3], data: Uint8Array.from([0, 1, 2, 253, 254, 255]).buffer }, 'output')
  t.same(numbers(result), [0, 253, 1, 254, 2, 255].map((byte) => (byte - 127.5) / 128))
})

t.test('state goes out and in without loss', async (t) => {
  const [a, b] = [made(smallNet(), FLOAT32), makeNetwork(smallNet(), FLOAT32)]
  trainOnce(a)
  b.load(a.state())
  t.same(stateOf(b), stateOf(a))
  const tracked = a.state().find((entry) => entry.name === 'bn1.num_batches_tracked')!
  t.same(numbers(tracked), [1], 'train-mode passes are counted')
})

t.test('what does not fit is refused by name, and nothing is changed', async (t) => {
  const graph = smallNet()
  const network = made(graph)
  const before = stateOf(network)
  t.throws(() => network.load([tensor('nonsense', 'float64', [1], [0])]), { code: 'ERR_CHECKPOINT', message: /nonsense/ })
  t.throws(() => network.load([tensor('slope', 'float64', [6], Array(6).fill(9)), tensor('head', 'float64', [5, 1], Array(5).fill(0))]), { code: 'ERR_CHECKPOINT', message: /head has shape \[5, 384\], the given tensor \[5, 1\]/ })
  t.same(stateOf(network), before)
  await t.rejects(network.infer(tensor('images', 'float64', [2, 3], Array(6).fill(0)), 'output'), { code: 'ERR_CONFIG', message: /expected images \[N, \[1\]\], got \[2, 3\]/ })
  await t.rejects(network.infer(images, 'embeding'), { code: 'ERR_GRAPH', message: /no output "embeding"/ })
  const wrong = (change: object) => ({ ...graph, nodes: graph.nodes.map((node) => (node.op === 'prelu' ? { ...node, ...change } : node)) })
  t.throws(() => makeNetwork(wrong({ op: 'prelou' })), { code: 'ERR_GRAPH', message: /prelu \(node \d+ prelou\): unknown op/ })
  t.throws(() => makeNetwork(wrong({ params: {} })), { code: 'ERR_GRAPH', message: /prelu \(node \d+ prelu\): parameter weight is missing/ })
  t.throws(() => makeNetwork(wrong({ params: { weight: 'gone' } })), { code: 'ERR_GRAPH', message: /there is no state entry gone/ })
  t.throws(() => makeNetwork(wrong({ inputs: [] })), { code: 'ERR_GRAPH', message: /expected 1 to 1 operands, got 0/ })
})

t.test('a batch of one has no batch statistics over vectors', async (t) => {
  const small = new SmallGraph()
  const network = made(small.finish(small.add('batch_norm', [small.operand('x', [4])], {}, small.batchNorm('bn', 4))))
  t.throws(() => network.forwardBackward(scalars([1]), 'output', tensor('grad', 'float64', [1, 4], [0, 0, 0, 0])), { code: 'ERR_CONFIG', message: /more than one value a channel/ })
})

t.test('after dispose() every call says so, and dispose() itself stays harmless', async (t) => {
  const network = made(smallNet())
  const running = network.infer(images, 'output')
  network.dispose()
  network.dispose()
  t.equal((await running).shape.length, 2, 'a call that was under way ends well')
  for (const call of [() => network.state(), () => network.initialise(1), () => network.load([]), () => network.infer(images, 'output'), () => trainOnce(network)]) {
    t.throws(call, { code: 'ERR_DISPOSED' })
  }
})
