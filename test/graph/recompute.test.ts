import t from 'tap'

import { BACKBONES, buildBackbone } from '../../lib/backbones/index.js'
import { KEEP_ALL, stepMemory } from '../../lib/graph/memory.js'
import { fuseNorm } from '../../lib/graph/passes/index.js'
import { recomputation } from '../../lib/graph/recompute.js'
import { build, Conv2d, Module, type Value } from '../../lib/layers/index.js'

t.test('recomputation at least halves what the values of networks take', async (t) => {
  for (const name of ['MobileFaceNet', 'ResNet', 'GhostNet', 'EfficientNet', 'HRNet', 'SwinTransformer']) {
    const graph = fuseNorm(buildBackbone(name, {}).graph)
    const again = recomputation(graph, true, 'cpu')
    const [whole, staged] = [stepMemory(graph, 8, 'fp32').activations, stepMemory(graph, 8, 'fp32', again).activations]
    t.ok(staged < whole / 2, `${name}: ${staged} of ${whole} bytes with ${again.stages.length + 1} stages`)
  }
})

t.test('light recomputation takes a third off networks of depthwise convolutions and makes none worse', async (t) => {
  for (const { name } of BACKBONES) {
    const graph = fuseNorm(buildBackbone(name, {}).graph)
    const again = recomputation(graph, 'light', 'cpu')
    t.same(again.stages, [])
    const [whole, light] = [stepMemory(graph, 8, 'fp32').activations, stepMemory(graph, 8, 'fp32', again).activations]
    const share = ['MobileFaceNet', 'GhostNet', 'EfficientNet', 'ReXNet', 'TF_NAS_A'].includes(name) ? 2 / 3 : 1
    t.ok(light <= share * whole, `${name}: ${light} of ${whole} bytes`)
  }
})

t.test('auto spares memory on the CPU, where it costs little, and keeps everything on a GPU', async (t) => {
  const { graph } = buildBackbone('MobileFaceNet', {})
  t.same(recomputation(graph, 'auto', 'cpu'), recomputation(graph, 'light', 'cpu'))
  t.same([recomputation(graph, 'auto', 'cuda'), recomputation(graph, false, 'cpu')], [KEEP_ALL, KEEP_ALL])
})

t.test('a network whose memory no stage lessens is left whole', async (t) => {
  class Net extends Module {
    readonly conv = new Conv2d(3, 8, 1)
    override forward(images: Value): Value {
      return this.conv.call(images)
    }
  }
  t.same(recomputation(build(new Net(), [3, 4, 4], 'Net'), true, 'cpu'), KEEP_ALL)
})
