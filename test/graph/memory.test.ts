import t from 'tap'

import { stepMemory, inferenceMemory } from '../../lib/graph/memory.js'
import { build, Conv2d, Flatten, Linear, Module, ReLU, type Value } from '../../lib/layers/index.js'

class Net extends Module {
  readonly conv = new Conv2d(3, 8, 1, { bias: false })
  readonly relu = ReLU()
  readonly flatten = new Flatten()
  readonly linear = new Linear(8 * 4 * 4, 2, { bias: false })

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(this.relu.call(this.conv.call(images))))
  }
}

const graph = build(new Net(), [3, 4, 4], 'Net')

t.test('the memory of a small step is what counting by hand gives', async (t) => {
  // Bytes for two images: the input 384, after convolution, ReLU and flatten 1024 each, the result 16.
  const memory = stepMemory(graph, 2, 'fp32')
  t.equal(memory.kept, 384 + 1024 + 1024 + 16, 'input for the convolution, result of the ReLU, operand of the linear layer, the result')
  t.equal(memory.forward, memory.kept)
  t.equal(memory.activations, memory.kept + 16 + 1024, 'the gradient of the result and of the operand of the linear layer')
  t.equal(memory.backward, memory.activations + 1024, 'and of its weight')
  t.equal(memory.weights, 4 * (24 + 256))
  t.equal(memory.gradients, memory.weights)
  t.equal(memory.casts, 0)
  t.equal(inferenceMemory(graph, 2, 'fp32'), 2048, 'one value and the next')
})

t.test('a stage that is computed again keeps what enters it', async (t) => {
  // The convolution is a stage of its own: the input is made again from the bytes of the images.
  const memory = stepMemory(graph, 2, 'fp32', { stages: [2], recomputed: [] })
  t.equal(memory.kept, 1024 + 1024 + 16, 'result of the ReLU, operand of the linear layer, the result')
  t.equal(memory.backward, stepMemory(graph, 2, 'fp32').backward - 384)
})

t.test('a value that is computed again is not kept, and is there with the gradient of its reader', async (t) => {
  const memory = stepMemory(graph, 2, 'fp32', { stages: [], recomputed: [2] })
  t.equal(memory.kept, 384 + 1024 + 1024 + 16, 'the operand of the ReLU in place of its result')
  t.equal(memory.backward, 384 + 1024 + 16 + 1024 + 3 * 1024, 'at the ReLU: its operand, the result, the gradient of the linear weight; its value and both gradients')
})

t.test('16-bit activations halve what values take and add a copy of the weights', async (t) => {
  const [wide, narrow] = (['fp32', 'bf16'] as const).map((precision) => stepMemory(graph, 2, precision))
  t.equal(narrow!.activations, wide!.activations / 2)
  t.equal(narrow!.weights, wide!.weights)
  t.equal(narrow!.casts, wide!.weights / 2)
})
