import t from 'tap'

import { readConf } from '../../lib/backbones/conf.js'
import { BACKBONES, buildBackbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { embeddingSize } from '../../lib/model/build.js'
import { inferenceNetwork } from '../../lib/model/inference.js'
import { StepBenchmark } from '../../lib/training/benchmark.js'
import { contentOf, distance, images, loadFormula, networkOf, tensor } from './golden-network.js'

/** One network of the table. */
interface Case {
  readonly title: string
  readonly type: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Small forms of the networks whose defaults would take long, and forms that the defaults do not reach. */
const SMALL: readonly Case[] = [
  ...Object.entries({
    ResNet: { depth: 50 },
    HRNet: { EXTRA: { STAGE3: { NUM_MODULES: 1 }, STAGE4: { NUM_MODULES: 1 } } },
    EfficientNet: { image_size: 48 },
    RepVGG: { blocks3: 3, width4: 1 },
    SwinTransformer: { embed_dim: 48, depths: [2, 2, 2, 2] },
    iResNet: { depth: 18 },
    ViT: { embed_dim: 96, depth: 2, num_heads: 4 },
  }).map(([type, config]) => ({ title: type, type, config })),
  { title: 'ResNet, plain', type: 'ResNet', config: { depth: 18, net_mode: 'ir' } },
  { title: 'ReXNet, squeeze-and-excitation, wider', type: 'ReXNet', config: { use_se: 1, width_mult: 1.3 } },
  { title: 'GhostNet, narrower', type: 'GhostNet', config: { width: 0.5 } },
  { title: 'LightCNN, 9 layers', type: 'LightCNN', config: { depth: 9 } },
  { title: 'MobileFaceNet, wider and deeper', type: 'MobileFaceNet', config: { scale: 2, blocks: [2, 1, 1, 1] } },
  { title: 'ViT, patches of 8 and biases', type: 'ViT', config: { patch_size: 8, embed_dim: 64, depth: 2, num_heads: 2, qkv_bias: true, feat_dim: 24 } },
  { title: 'SwinTransformer, 112 px', type: 'SwinTransformer', config: { img_size: 112, patch_size: 2, embed_dim: 24, depths: [2, 2, 2, 2] } },
]

/** Every backbone in a small form, with images of 48 x 48 where it takes any size. */
const small = [...SMALL, ...BACKBONES.filter(({ name }) => !SMALL.some(({ title }) => title === name)).map(({ name }) => ({ title: name, type: name, config: {} }))].map((row) => {
  const takesAnySize = 'out_h' in BACKBONES.find(({ name }) => name === row.type)!.schema.parse({})
  return { ...row, config: { feat_dim: 32, ...(takesAnySize ? { out_h: 3, out_w: 3 } : {}), ...row.config } }
})

/** Whether minutes may pass. */
const ALL = process.env['FACEX_ALL'] === '1'

/** The upper half of the face, where 60 rows end as 4: networks that round their sizes. */
const upperHalf = ['EfficientNet', 'GhostNet', 'LightCNN', ...(ALL ? ['HRNet', 'AttentionNet'] : [])].map((name) => {
  const { config } = small.find(({ type }) => type === name)!
  return { title: `${name}, upper half of the face`, type: name, config: { ...config, ...(name === 'EfficientNet' ? { image_size: 112 } : {}), out_h: 4, out_w: 7 } }
})

/** The entries of backbone_conf.yaml as they are. Entries that describe the same network run once. */
const whole = [...new Map(readConf().map(({ name, type, config }) => [JSON.stringify([type, buildBackbone(type, config).config]), { title: `${name} of backbone_conf.yaml`, type, config }])).values()]

/** Part of a title: only these networks. */
const only = process.env['FACEX_ONLY'] ?? ''
const cases: readonly Case[] = [...small, ...upperHalf, ...(ALL ? whole : [])].filter(({ title }) => title.includes(only))
t.setTimeout(3_600_000)

function failureOf(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('expected an error')
}

for (const { title, type, config } of cases) {
  t.test(`${title} keeps the contract of the table`, async (t) => {
    const { graph, input } = buildBackbone(type, config)
    const size = embeddingSize(graph)
    const network = networkOf(graph, 'float32')
    // Fresh weights of the deepest networks overflow before training has settled the running statistics.
    loadFormula(network, graph, 'float32')
    const three = images('input', 3, input, 'float32')
    const one = tensor('input', 'float32', [1, ...input], contentOf(three).subarray(0, input[0] * input[1] * input[2]))
    const embed = async (net: typeof network, batch: typeof one) => contentOf(await net.infer(batch, 'embedding'))

    const embedding = await embed(network, three)
    t.same(await embed(network, three), embedding, 'evaluation is deterministic')
    t.ok(distance(embedding.subarray(0, size), await embed(network, one)) < 1e-4, 'an image has one embedding in batches of any size')

    const state = network.state()
    t.same(state.map((entry) => entry.name), graph.state.map((entry) => entry.name))
    const twin = networkOf(graph, 'float32')
    twin.load(state)
    t.same(await embed(twin, three), embedding, 'what was saved loads again')
    twin.dispose()

    const half = networkOf(graph, 'float32', 'bfloat16')
    half.load(state)
    const gap = distance(await embed(half, three), embedding)
    t.ok(gap < 0.1, `bf16 stays close to fp32: ${gap}`)
    half.dispose()

    const dead = new Set(cost(graph).dead)
    const live = graph.state.filter((entry) => entry.kind === 'parameter' && !dead.has(entry.name)).map((entry) => entry.name)
    const gradient = tensor('gradient', 'float32', [3, size], embedding.map((_, i) => ((i % 7) - 3) / (3 * size)))
    const { output, grads } = network.forwardBackward(three, 'embedding', gradient)
    t.ok(contentOf(output).every(Number.isFinite), 'training is finite')
    t.same(grads.map((grad) => grad.name).sort(), live.sort(), 'every live parameter learns, and no other')
    t.ok(grads.every((grad) => contentOf(grad).every(Number.isFinite)), 'gradients are finite')
    // The running statistics have moved away from 0 and 1 by now.
    const folded = inferenceNetwork(graph, network.state(), { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 })
    const difference = distance(await embed(folded, three), await embed(network, three))
    t.ok(difference < 1e-5, `folded for inference the embeddings stay: ${difference}`)
    folded.dispose()

    const { message } = failureOf(() => network.forwardBackward(one, 'embedding', tensor('gradient', 'float32', [1, size], embedding.subarray(0, size))))
    t.match(message, /batch statistics need more than one value a channel/, 'one image cannot be trained on, which is said')
    network.dispose()

    const training = new StepBenchmark({ backbone: { type, config }, classes: 10, batchSize: 3, threads: 1 })
    const losses = [(await training.train(1)).loss, (await training.train(1)).loss]
    t.ok(losses.every(Number.isFinite), `two steps of the optimizer: losses ${losses.join(', ')}`)
    t.not(losses[0], losses[1], 'the first step changed the weights')
    training.dispose()
  })
}
