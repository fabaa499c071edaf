import t from 'tap'

import { FUSED_ACTIVATIONS } from '../../lib/graph/ops.js'
import { fuseConvolution } from '../../lib/graph/passes/index.js'
import type { Graph } from '../../lib/graph/types.js'
import { GraphBuilder } from '../../lib/graph/builder.js'
import { addon } from '../../lib/native.js'
import { loadValues, makeNetwork, noise, numbers, tensor, type Precision } from './network-runner.js'

interface Kind {
  readonly kernel: number
  readonly stride: number
  readonly groups: number
  readonly outputs: number
}

const CHANNELS = 20
const KINDS: Readonly<Record<string, Kind>> = {
  'one pixel': { kernel: 1, stride: 1, groups: 1, outputs: 24 },
  'three by three, strided': { kernel: 3, stride: 2, groups: 1, outputs: 17 },
  grouped: { kernel: 3, stride: 1, groups: 4, outputs: 12 },
  depthwise: { kernel: 3, stride: 1, groups: CHANNELS, outputs: CHANNELS },
  'depthwise, strided': { kernel: 5, stride: 2, groups: CHANNELS, outputs: CHANNELS },
}

/** Two convolutions of an image, of which the second takes the first as a shortcut, each with the activation. */
function graphOf({ kernel, stride, groups, outputs }: Kind, activation: (typeof FUSED_ACTIVATIONS)[number], values: Record<string, number[]>): Graph {
  const builder = new GraphBuilder('case')
  const entry = (name: string, shape: readonly number[], scale: number) => {
    builder.declare({ name, shape, kind: 'parameter', dtype: 'float', init: { kind: 'constant', value: 0 } })
    values[name] = noise(name, shape.reduce((product, extent) => product * extent, 1)).map((value) => (Math.round(value * 64) / 64) * scale)
    return name
  }
  const conv = (path: string, input: number) => {
    const params = { weight: entry(`${path}.weight`, [outputs, CHANNELS / groups, kernel, kernel], 0.25), bias: entry(`${path}.bias`, [outputs], 1) }
    return builder.add({ op: 'conv2d', inputs: [nodes[input]!], attrs: { stride: [stride, stride], padding: [(kernel - 1) / 2, (kernel - 1) / 2], groups }, params, path })
  }
  const act = (path: string, input: ReturnType<typeof conv>) =>
    activation === 'none' ? input : builder.add({ op: activation, inputs: [input], params: activation === 'prelu' ? { weight: entry(`${path}.slope`, [outputs], 1) } : {}, path })
  const nodes = [builder.add({ op: 'input', inputs: [], attrs: { dims: [CHANNELS, 9, 11] }, path: 'input' })]
  const first = act('first', conv('first', 0))
  const output = act('second', builder.add({ op: 'add', inputs: [conv('second', 0), first], path: 'add' }))
  return builder.finish({ output })
}

const IMAGES = 5
const content = noise('images', IMAGES * CHANNELS * 99).map((value) => Math.round(value * 64) / 64)
const images = (first: number, count: number) => tensor('images', 'float64', [count, CHANNELS, 9, 11], content.slice(first * CHANNELS * 99, (first + count) * CHANNELS * 99))

/** Largest difference against the largest value. */
function farthest(found: readonly number[], expected: readonly number[]): number {
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return found.length === expected.length ? expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0) / size : Infinity
}

const PRECISIONS = [
  [{ master: 'float32', compute: 'float32' }, 2e-6],
  [{ master: 'float32', compute: 'bfloat16' }, 2e-2],
] as const satisfies readonly (readonly [Precision, number])[]

for (const [name, kind] of Object.entries(KINDS)) {
  t.test(`inference of a convolution with its neighbours is that of its nodes: ${name}`, async (t) => {
    for (const activation of FUSED_ACTIVATIONS) {
      const values: Record<string, number[]> = {}
      const graph = graphOf(kind, activation, values)
      const fused = fuseConvolution(graph)
      t.same(fused.nodes.slice(-2).map(({ op, inputs }) => `${op} of ${inputs.length}`), [activation === 'none' ? 'conv2d of 1' : 'conv2d_act of 1', 'conv2d_act of 2'])
      const exact = makeNetwork(graph)
      loadValues(exact, graph, values)
      const expected = numbers(await exact.infer(images(0, IMAGES), 'output'))
      for (const [precision, tolerance] of PRECISIONS) {
        const network = makeNetwork(fused, precision)
        loadValues(network, fused, values)
        const all = numbers(await network.infer(images(0, IMAGES), 'output'))
        const far = farthest(all, expected)
        t.ok(far < tolerance, `${activation} ${precision.compute}: ${far}`)
        const one = numbers(await network.infer(images(3, 1), 'output'))
        const apart = farthest(one, all.slice(3 * one.length, 4 * one.length))
        t.ok(apart < tolerance, `alone or among others an image gives the same: ${apart}`)
        network.dispose()
      }
      exact.dispose()
    }
  })
}

t.test('weights that change count at once', async (t) => {
  const values: Record<string, number[]> = {}
  const graph = fuseConvolution(graphOf(KINDS['one pixel']!, 'prelu', values))
  const other = Object.fromEntries(Object.entries(values).map(([name, content]) => [name, content.map((value) => 0.5 - value)]))
  const [used, fresh] = [makeNetwork(graph, PRECISIONS[0][0]), makeNetwork(graph, PRECISIONS[0][0])]
  loadValues(used, graph, values)
  await used.infer(images(0, IMAGES), 'output')
  for (const network of [used, fresh]) loadValues(network, graph, other)
  t.same(numbers(await used.infer(images(0, IMAGES), 'output')), numbers(await fresh.infer(images(0, IMAGES), 'output')))
})

t.test('a batch gives the same for any number of threads', async (t) => {
  const values: Record<string, number[]> = {}
  const graph = fuseConvolution(graphOf(KINDS['depthwise']!, 'silu', values))
  const network = makeNetwork(graph, PRECISIONS[0][0])
  loadValues(network, graph, values)
  const results: number[][] = []
  for (const threads of [1, 2, 3]) {
    addon().setThreads(threads)
    results.push(numbers(await network.infer(images(0, IMAGES), 'output')))
  }
  addon().setThreads(2)
  for (const result of results) t.ok(farthest(result, results[0]!) < 2e-6)
})
