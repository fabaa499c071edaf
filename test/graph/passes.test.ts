import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { stepMemory } from '../../lib/graph/memory.js'
import { foldBatchNorm, forInference, fuseConvolution } from '../../lib/graph/passes/index.js'
import type { Reals } from '../../lib/graph/passes/index.js'
import type { Graph } from '../../lib/graph/types.js'
import { BatchNorm, build, Conv2d, Dropout, Flatten, Linear, Sequential } from '../../lib/layers/index.js'

/** Content for every floating entry, different in each element. */
function contentOf(graph: Graph): Map<string, Reals> {
  const entries = graph.state.filter((entry) => entry.dtype === 'float')
  return new Map(entries.map(({ name, shape }) => [name, Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 + ((i * 7) % 11) / 11)]))
}

const opsOf = (graph: Graph) => graph.nodes.map((node) => node.op)

t.test('batch norm folds into the convolution before it: scaled weight, shifted bias', (t) => {
  const graph = build(new Sequential(new Conv2d(1, 2, 1, { bias: false }), new BatchNorm(2, { eps: 0 })), [1, 4, 4])
  const tensors = new Map<string, Reals>([
    ['0.weight', new Float64Array([3, 5])],
    ['1.weight', new Float64Array([2, 1])],
    ['1.bias', new Float64Array([10, 20])],
    ['1.running_mean', new Float64Array([1, 2])],
    ['1.running_var', new Float64Array([4, 0.25])],
  ])
  const folded = foldBatchNorm({ graph, tensors })
  t.same(opsOf(folded.graph), ['input', 'conv2d'])
  t.same(folded.graph.state.map((entry) => entry.name), ['0.weight', '0.bias'])
  t.same([...folded.tensors.get('0.weight')!], [3, 10])
  t.same([...folded.tensors.get('0.bias')!], [9, 16])
  t.same([...tensors.get('0.weight')!], [3, 5], 'the given arrays stay as they are')
  t.end()
})

t.test('a batch norm whose operand is used elsewhere, or that comes first, stays', (t) => {
  const graph = build(new Sequential(new BatchNorm(3), new Conv2d(3, 4, 3, { padding: 1 })), [3, 8, 8])
  t.same(opsOf(foldBatchNorm({ graph, tensors: contentOf(graph) }).graph), ['input', 'batch_norm', 'conv2d'])
  t.end()
})

t.test('inference has no dropout, and the linear layer takes its batch norm in', (t) => {
  const net = new Sequential(new Dropout(0.4), new Flatten(), new Linear(48, 8), new BatchNorm(8))
  const graph = build(net, [3, 4, 4])
  t.same(opsOf(forInference({ graph, tensors: contentOf(graph) }).graph), ['input', 'flatten', 'linear'])
  t.end()
})

t.test('for the engine a convolution takes the shortcut and the activation after it in', (t) => {
  const { graph } = buildBackbone('MobileFaceNet', { blocks: [1, 1, 1, 1] })
  const folded = forInference({ graph, tensors: contentOf(graph) }).graph
  const fused = fuseConvolution(folded)
  const counts = (op: string) => [folded, fused].map((each) => opsOf(each).filter((name) => name === op).length)
  t.same([counts('prelu')[1], counts('add')[1]], [0, 0])
  t.equal(counts('conv2d_act')[1], counts('prelu')[0]! + counts('add')[0]!)
  t.equal(cost(fused).macs, cost(folded).macs)
  t.end()
})

t.test('RepVGG deploys as plain 3 x 3 convolutions under the published names', (t) => {
  const { graph } = buildBackbone('RepVGG', { blocks1: 1, blocks2: 2, blocks3: 1, blocks4: 1, width4: 1 })
  const deployed = forInference({ graph, tensors: contentOf(graph) })
  const convolutions = deployed.graph.nodes.filter((node) => node.op === 'conv2d')
  t.same(convolutions.map((node) => node.params.weight), ['stage0', 'stage1.0', 'stage2.0', 'stage2.1', 'stage3.0', 'stage4.0'].map((block) => `${block}.rbr_reparam.weight`))
  t.notOk(opsOf(deployed.graph).includes('add'))
  t.ok(cost(deployed.graph).macs < cost(graph).macs)
  t.end()
})

t.test('only parallel branches merge: no other network of the table gets a re-parameterised convolution', (t) => {
  for (const name of ['ResNet', 'GhostNet', 'HRNet', 'iResNet']) {
    const { graph } = buildBackbone(name)
    const tensors = new Map(graph.state.filter((entry) => entry.dtype === 'float').map((entry) => [entry.name, new Float32Array(1)]))
    t.notOk(forInference({ graph, tensors }).graph.state.some((entry) => entry.name.includes('rbr_reparam')), name)
  }
  t.end()
})

t.test('memory of a step grows with the batch and halves with 16-bit activations', (t) => {
  const { graph } = buildBackbone('MobileFaceNet')
  const one = stepMemory(graph, 1, 'fp32')
  t.equal(stepMemory(graph, 64, 'fp32').activations, 64 * one.activations)
  t.equal(stepMemory(graph, 1, 'bf16').activations, one.activations / 2)
  t.equal(one.gradients, 4 * 1200512)
  t.end()
})
