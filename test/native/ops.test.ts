import t from 'tap'

import { ops } from '../../lib/graph/ops.js'
import { addon } from '../../lib/native.js'
import { OP_CASES } from './op-cases.js'
import { loadValues, makeNetwork, noise, numbers, scalars, SmallGraph, tensor } from './network-runner.js'

const images = scalars([-0.8, 0.3, 1])
const randomKey = 11

t.test('both sides of the border have the same table of ops', async (t) => {
  const declared = ops.map((op) => ({ name: op.name, minInputs: op.minInputs, maxInputs: op.maxInputs, params: op.params, attrs: Object.keys(op.attrs), keeps: op.keeps }))
  t.strictSame(addon().opTable(), declared)
})

t.test('every op has a gradient check', async (t) => {
  const covered = new Set(Object.keys(OP_CASES).map((name) => name.split(':')[0]))
  t.strictSame(ops.map((op) => op.name).filter((name) => name !== 'input' && !covered.has(name)), [])
})

for (const [name, build] of Object.entries(OP_CASES)) {
  t.test(`gradients agree with finite differences: ${name.replace(':', ', ')}`, async (t) => {
    const small = new SmallGraph()
    const graph = small.finish(build(small))
    const network = makeNetwork(graph)
    const rerun = (values: Readonly<Record<string, readonly number[]>>) => {
      loadValues(network, graph, small.values) // running statistics start anew each time
      loadValues(network, graph, values)
    }
    const output = graph.nodes[graph.outputs['output']!]!
    const shape = [3 * output.shape.batch, ...output.shape.dims]
    const weights = noise('loss', shape.reduce((product, extent) => product * extent, 1))
    const grad = tensor('grad', 'float64', shape, weights)
    const loss = () => numbers(network.forwardBackward(images, 'output', grad, randomKey).output).reduce((sum, value, i) => sum + value * weights[i]!, 0)

    rerun({})
    const { grads, output: result } = network.forwardBackward(images, 'output', grad, randomKey)
    t.strictSame(result.shape, shape, 'the result has the shape that TypeScript inferred')
    const parameters = graph.state.filter((entry) => entry.kind === 'parameter').map((entry) => entry.name)
    t.strictSame(grads.map((tensor) => tensor.name).sort(), parameters.toSorted(), 'every parameter and nothing else has a gradient')
    let worst = 0
    for (const { name, data } of grads) {
      const found = new Float64Array(data)
      const values = small.values[name]!
      for (let i = 0; i < values.length; i += Math.ceil(values.length / 12)) {
        const step = 1e-5
        const moved = (by: number) => {
          rerun({ [name]: values.map((value, at) => (at === i ? value + by : value)) })
          return loss()
        }
        const expected = (moved(step) - moved(-step)) / (2 * step)
        worst = Math.max(worst, Math.abs(found[i]! - expected) / Math.max(1, Math.abs(expected)))
      }
    }
    t.ok(worst < 1e-7, `largest deviation ${worst}`)
    network.dispose()
  })
}
