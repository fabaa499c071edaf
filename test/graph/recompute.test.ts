import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { stepMemory } from '../../lib/graph/memory.js'
import { fuseNorm } from '../../lib/graph/passes/index.js'
import { recomputeStarts } from '../../lib/graph/recompute.js'
import { build, Conv2d, Module, type Value } from '../../lib/layers/index.js'

t.test('recomputation at least halves what the values of networks take', async (t) => {
  for (const name of ['MobileFaceNet', 'ResNet', 'GhostNet', 'EfficientNet', 'HRNet', 'SwinTransformer']) {
    const graph = fuseNorm(buildBackbone(name, {}).graph)
    const starts = recomputeStarts(graph)
    const [whole, staged] = [stepMemory(graph, 8, 'fp32').activations, stepMemory(graph, 8, 'fp32', starts).activations]
    t.ok(staged < whole / 2, `${name}: ${staged} of ${whole} bytes with ${starts.length + 1} stages`)
  }
})

t.test('a network whose memory no stage lessens is left whole', async (t) => {
  class Net extends Module {
    readonly conv = new Conv2d(3, 8, 1)
    override forward(images: Value): Value {
      return this.conv.call(images)
    }
  }
  t.same(recomputeStarts(build(new Net(), [3, 4, 4], 'Net')), [])
})
