import t from 'tap'

import { BACKBONES, buildBackbone } from '../../lib/backbones/index.js'
import type { Backbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { StepBenchmark } from '../../lib/training/benchmark.js'
import { contentOf, distance, images, networkOf, tensor } from './golden-network.js'

/** Small configurations of the networks whose defaults would take long. */
const SMALL: Readonly<Record<string, Record<string, unknown>>> = {
  ResNet: { depth: 50 },
  HRNet: { EXTRA: { STAGE3: { NUM_MODULES: 1 }, STAGE4: { NUM_MODULES: 1 } } },
  EfficientNet: { image_size: 48 },
  RepVGG: { blocks3: 3, width4: 1 },
  SwinTransformer: { embed_dim: 48, depths: [2, 2, 2, 2] },
  iResNet: { depth: 18 },
  ViT: { embed_dim: 96, depth: 2, num_heads: 4 },
}

/** Images of 48 x 48 where the network takes any size. */
function smallConfig({ name, schema }: Backbone): Record<string, unknown> {
  const size = 'out_h' in schema.parse({}) ? { out_h: 3, out_w: 3 } : {}
  return { ...SMALL[name], ...size, feat_dim: 32 }
}

for (const backbone of BACKBONES) {
  t.test(`${backbone.name} keeps the contract of the table`, async (t) => {
    const { graph, input } = buildBackbone(backbone.name, smallConfig(backbone))
    const network = networkOf(graph, 'float32')
    network.initialise(1)
    const three = images('input', 3, input, 'float32')
    const one = tensor('input', 'float32', [1, ...input], contentOf(three).subarray(0, input[0] * input[1] * input[2]))
    const embed = async (net: typeof network, batch: typeof one) => contentOf(await net.infer(batch, 'embedding'))

    const embedding = await embed(network, three)
    t.same(await embed(network, three), embedding, 'evaluation is deterministic')
    t.ok(distance(embedding.subarray(0, 32), await embed(network, one)) < 1e-4, 'an image has one embedding in batches of any size')

    const state = network.state()
    t.same(state.map((entry) => entry.name), graph.state.map((entry) => entry.name))
    const twin = networkOf(graph, 'float32')
    twin.load(state)
    t.same(await embed(twin, three), embedding, 'what was saved loads again')
    twin.dispose()

    const half = networkOf(graph, 'float32', 'bfloat16')
    half.load(state)
    t.ok(distance(await embed(half, three), embedding) < 0.1, 'bf16 stays close to fp32')
    half.dispose()

    const dead = new Set(cost(graph).dead)
    const live = graph.state.filter((entry) => entry.kind === 'parameter' && !dead.has(entry.name)).map((entry) => entry.name)
    const gradient = tensor('gradient', 'float32', [3, 32], embedding.map((_, i) => ((i % 7) - 3) / 96))
    const { output, grads } = network.forwardBackward(three, 'embedding', gradient)
    t.ok(contentOf(output).every(Number.isFinite), 'training is finite')
    t.same(grads.map((grad) => grad.name).sort(), live.sort(), 'every live parameter learns, and no other')
    t.ok(grads.every((grad) => contentOf(grad).every(Number.isFinite)), 'gradients are finite')
    network.dispose()

    const training = new StepBenchmark({ backbone: { type: backbone.name, config: smallConfig(backbone) }, classes: 10, batchSize: 3, threads: 1 })
    const losses = [(await training.train(1)).loss, (await training.train(1)).loss]
    t.ok(losses.every(Number.isFinite), `two steps of the optimizer: losses ${losses.join(', ')}`)
    t.not(losses[0], losses[1], 'the first step changed the weights')
    training.dispose()
  })
}
