import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { forInference, fuseNorm } from '../../lib/graph/passes/index.js'
import type { Reals } from '../../lib/graph/passes/index.js'
import type { Graph } from '../../lib/graph/types.js'
import { contentOf, deviation, distance, formulaContent, goldenGraph, goldenNetworks, images, loadFormula, networkOf, tensor } from './golden-network.js'
import type { Content } from './golden-network.js'
import { decidedAsInFloat64 } from './near-ties.js'

/** Networks up to this many multiply-adds run always; FACEX_ALL=1 runs all. */
const LIMIT = process.env['FACEX_ALL'] === '1' ? Infinity : 3e8
/** Part of a title: only these networks, whatever they cost. */
const ONLY = process.env['FACEX_ONLY']

/**
 * Two features closer than this are a near tie: float32 may take the other one for the maximum than float64 does (in
 * PyTorch too, which is 3.3e-3 off in LightCNN's gradient in channels-last order and 6e-6 in NCHW order).
 */
const NEAR_TIE = 1e-5

for (const golden of goldenNetworks()) {
  if (ONLY === undefined ? golden.macs > LIMIT : !golden.title.includes(ONLY)) continue
  t.test(`${golden.title} follows its golden file in float64 to 1e-8`, async (t) => {
    const far = Object.entries(await deviation(golden, 'float64')).filter(([, error]) => !(error <= 1e-8))
    t.same(far, [])
  })

  t.test(`${golden.title} in float32, fused as for training, is as close as ten times the noise of its reference`, async (t) => {
    const decided = await decidedAsInFloat64(golden, goldenGraph(golden), NEAR_TIE)
    t.ok(decided.moved <= 1e-5 * decided.choices, `${decided.moved} of ${decided.choices} choices of a maximum are nearly tied`)
    const found = await deviation(golden, 'float32', fuseNorm(decided.graph), decided.extra)
    const { eval: evaluation, train, grads } = golden.float32_noise
    const limit = (noise: number) => Math.max(10 * noise, 1e-5)
    const limits = { eval: limit(evaluation), train: limit(train), grads: limit(grads) }
    const far = Object.entries(limits).filter(([name, most]) => !(found[name as keyof typeof limits] <= most))
    t.same(far.map(([name, most]) => `${name}: ${found[name as keyof typeof limits]} > ${most}`), [])
  })
}

t.test('the graph for inference gives the embeddings of the graph for training', async (t) => {
  const networks: [string, Record<string, unknown>][] = [
    ['RepVGG', { blocks3: 2, width4: 1, feat_dim: 64, out_h: 3, out_w: 3 }],
    ['MobileFaceNet', {}],
    ['GhostNet', { feat_dim: 64, out_h: 3, out_w: 3 }],
    ['AttentionNet', { stage1_modules: 0, stage2_modules: 0, feat_dim: 64, out_h: 3, out_w: 3 }],
  ]
  for (const [name, config] of networks) {
    const { graph, input } = buildBackbone(name, config)
    const tensors = new Map<string, Reals>()
    for (const entry of graph.state) {
      const content = formulaContent(entry)
      if (content !== undefined) tensors.set(entry.name, Float64Array.from(content))
    }
    const deployed = forInference({ graph, tensors })
    t.ok(deployed.graph.nodes.length < graph.nodes.length, `${name} has fewer nodes`)
    t.ok(cost(deployed.graph).macs <= cost(graph).macs)
    const [expected, found] = [await embed(graph, input), await embed(deployed.graph, input, deployed.tensors)]
    t.ok(distance(found, expected) < 1e-10, `${name}: ${distance(found, expected)}`)
  }
})

/** Embeddings of two images in float64, with the formula's weights or the given ones. */
async function embed(graph: Graph, input: readonly number[], tensors?: ReadonlyMap<string, Reals>): Promise<Content> {
  const network = networkOf(graph, 'float64')
  if (tensors === undefined) loadFormula(network, graph, 'float64')
  else {
    network.initialise(0)
    const shapes = new Map(graph.state.map((entry) => [entry.name, entry.shape]))
    network.load([...tensors].map(([name, content]) => tensor(name, 'float64', shapes.get(name)!, content)))
  }
  const result = contentOf(await network.infer(images('input', 2, input, 'float64'), 'embedding'))
  network.dispose()
  return result
}
