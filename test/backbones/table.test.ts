import t from 'tap'

import { readConf } from '../../lib/backbones/conf.js'
import { BACKBONES, buildBackbone, defineBackbone, findBackbone } from '../../lib/backbones/index.js'
import type { ImageShape } from '../../lib/backbones/index.js'
import { extendTable } from '../../lib/config/extend-table.js'
import { cost } from '../../lib/graph/cost.js'
import { Conv2d, F, Flatten, Linear, Module } from '../../lib/layers/index.js'
import type { Value } from '../../lib/layers/index.js'

const embeddingOf = (name: string, config = {}, input?: ImageShape) => {
  const { graph } = buildBackbone(name, config, { input })
  return graph.nodes[graph.outputs.embedding!]!.shape
}

t.test('every backbone builds with its defaults and ends in an embedding of 512', (t) => {
  for (const { name } of BACKBONES) t.same(embeddingOf(name), { batch: 1, dims: [512] }, name)
  t.end()
})

t.test('every entry of the shipped backbone_conf.yaml builds', (t) => {
  const entries = readConf()
  for (const { name, type, config } of entries) {
    const { graph } = buildBackbone(type, config)
    t.ok(graph.nodes.length > 10, name)
  }
  for (const { name } of BACKBONES) t.ok(entries.some((entry) => entry.name === name), `${name} has an entry`)
  t.end()
})

t.test('feat_dim is the length of every embedding', (t) => {
  for (const { name } of BACKBONES) t.same(embeddingOf(name, { feat_dim: 128 }).dims, [128], name)
  t.end()
})

t.test('the upper half of the face goes through every network that ends in a map', (t) => {
  for (const { name, schema } of BACKBONES) {
    if (!('out_h' in schema.parse({}))) continue
    const built = buildBackbone(name, { out_h: 4 })
    t.same(built.input, [3, 60, 112], name)
    t.same(embeddingOf(name, { out_h: 4 }, [3, 60, 112]).dims, [512], name)
    t.same(embeddingOf(name, { out_h: 4 }, [3, 56, 112]).dims, [512], `${name}, exactly half`)
  }
  t.end()
})

t.test('LightCNN takes the 60 rows as 3 or 4, as out_h says', (t) => {
  t.same(embeddingOf('LightCNN', { out_h: 3 }, [3, 60, 112]).dims, [512])
  t.same(embeddingOf('LightCNN', { out_h: 4 }, [3, 60, 112]).dims, [512])
  t.end()
})

t.test('depths and widths of the papers build', (t) => {
  const variants: [string, Record<string, unknown>][] = [
    ['EfficientNet', { width: 1.4, depth: 1.8 }],
    ['GhostNet', { width: 1.3 }],
    ['GhostNet', { width: 0.5 }],
    ['ReXNet', { width_mult: 1.5, use_se: 1 }],
    ['ReXNet', { width_mult: 0.9, depth_mult: 1.2 }],
    ['EfficientNet', { width: 1, depth: 1.1 }],
    ['ResNet', { depth: 18, net_mode: 'ir' }],
    ['ResNet', { depth: 34 }],
    ['LightCNN', { depth: 9 }],
    ['HRNet', { EXTRA: { STAGE2: { NUM_CHANNELS: [30, 60] }, STAGE3: { NUM_CHANNELS: [30, 60, 120] }, STAGE4: { NUM_CHANNELS: [30, 60, 120, 240] } } }],
    ['ResNeSt', { depth: 101 }],
    ['RepVGG', { width1: 1.5, width2: 1.5, width3: 1.5, width4: 2.75 }],
    ['SwinTransformer', { depths: [2, 2, 18, 2] }],
    ['SwinTransformer', { embed_dim: 128, depths: [2, 2, 18, 2], num_heads: [4, 8, 16, 32] }],
    ['SwinTransformer', { img_size: 112, patch_size: 2 }],
    ['SwinTransformer', { img_size: 384, window_size: 12 }],
    ['ViT', { patch_size: 8, depth: 24 }],
    ['ViT', { img_size: 224, patch_size: 16, embed_dim: 768, num_heads: 12 }],
    ['MobileFaceNet', { scale: 4, blocks: [2, 8, 12, 4], out_w: 6 }],
    ['AttentionNet', { stage1_modules: 0, stage3_modules: 2 }],
  ]
  for (const [name, config] of variants) t.same(embeddingOf(name, config).dims, [512], `${name} ${JSON.stringify(config)}`)
  t.end()
})

t.test('a map of another size than out_h says is an error that names the layer and both sizes', (t) => {
  t.throws(() => buildBackbone('ResNet', { depth: 50, out_h: 4 }, { input: [3, 112, 112] }), {
    code: 'ERR_GRAPH',
    message: /output_layer\.3: expected 14336 features, got 25088/,
  })
  t.end()
})

t.test('sizes that cannot be name the layer or the option', (t) => {
  const failure = (name: string, config: object, message: RegExp, code = 'ERR_GRAPH') => t.throws(() => buildBackbone(name, config), { code, message }, `${name} ${JSON.stringify(config)}`)
  failure('SwinTransformer', { img_size: 112 }, /^layers\.3: a grid of 3\.5 x 3\.5 patches, as the stage before does not halve \(images of 112 rows, patch_size 4, window_size 7\)/)
  failure('SwinTransformer', { window_size: 8 }, /^layers\.1: a grid of 28 x 28 patches, which windows of 8 do not divide/)
  failure('SwinTransformer', { embed_dim: 100 }, /^layers\.0\.blocks\.0\.attn: 300 features do not divide into q, k, v of 3 heads/)
  failure('SwinTransformer', { patch_size: 300 }, /patch_size: expected at most img_size, 224, received 300/, 'ERR_CONFIG')
  failure('ViT', { patch_size: 200 }, /patch_size: expected at most img_size, 112, received 200/, 'ERR_CONFIG')
  failure('ViT', { num_heads: 7 }, /^blocks\.0\.attn: 1536 features do not divide into q, k, v of 7 heads/)
  failure('ViT', { mlp_ratio: 1e-4 }, /^blocks\.0\.mlp\.fc1\.weight: expected a shape of whole numbers from 1, got \[0, 512\]/)
  failure('ReXNet', { use_se: 1, se_ratio: 1000 }, /^features\.6\.out\.5\.fc\.0\.weight: expected a shape of whole numbers from 1, got \[0, 228, 1, 1\]/)
  failure('HRNet', { EXTRA: { STAGE2: { BLOCK: 'BOTTLENECK' } } }, /^transition2\.0\.0: expected 72 channels, got 144/)
  t.throws(() => buildBackbone('MobileFaceNet', {}, { input: [3, 8, 8] }), { code: 'ERR_GRAPH', message: /^conv_6_dw\.conv: kernel 7 x 7 is larger than the padded input 1 x 1/ })
  t.throws(() => buildBackbone('iResNet', {}, { input: [1, 112, 112] }), { code: 'ERR_GRAPH', message: /^conv1: expected 3 channels, got 1/ })
  t.end()
})

t.test('unknown names, keys and values are errors that say what is known', (t) => {
  t.throws(() => findBackbone('Resnet50'), { code: 'ERR_CONFIG', message: /unknown backbone "Resnet50", did you mean "ResNet"\?/ })
  t.throws(() => buildBackbone('ResNet', { dept: 50 }), { code: 'ERR_CONFIG', message: /backbone\.dept: unknown key, did you mean "depth"\?/ })
  t.throws(() => buildBackbone('ResNet', { depth: 51 }), { code: 'ERR_CONFIG', message: /backbone\.depth: expected 18 or 34 or 50 or 100 or 152, received "?51/ })
  t.throws(() => buildBackbone('SwinTransformer', { depths: [2, 2] }), { code: 'ERR_CONFIG', message: /depths and num_heads must have one entry for each stage/ })
  t.end()
})

t.test("both of FaceX-Zoo's spellings of RepVGG's keys work", (t) => {
  const B1 = { block_stage1: 4, block_stage2: 6, block_stage3: 16, block_stage4: 1, width_stage1: 2, width_stage2: 2, width_stage3: 2, width_stage4: 4 }
  t.equal(cost(buildBackbone('RepVGG', B1).graph).params, 106751872)
  t.throws(() => buildBackbone('RepVGG', { ...B1, blocks1: 2 }), { code: 'ERR_CONFIG', message: /blocks1 and block_stage1 are the same option/ })
  t.end()
})

class Tiny extends Module {
  readonly conv = new Conv2d(3, 8, 3, { stride: 4 })
  readonly flatten = new Flatten()
  readonly fc: Linear

  constructor(featDim: number) {
    super()
    this.fc = new Linear(8 * 28 * 28, featDim)
  }

  override forward(x: Value): Value {
    return this.fc.call(this.flatten.call(F.relu(this.conv.call(x))))
  }
}

t.test("a user's backbone joins the table for one run", (t) => {
  const { feat_dim } = findBackbone('ResNet').schema.parse({})
  const tiny = defineBackbone({ name: 'Tiny', summary: 'one convolution', options: {}, create: () => new Tiny(feat_dim as number) })
  const table = extendTable('backbone', BACKBONES, [tiny])
  t.same(buildBackbone('Tiny', {}, { table }).graph.state.map((entry) => entry.name), ['conv.weight', 'conv.bias', 'fc.weight', 'fc.bias'])
  t.throws(() => findBackbone('Tiny'), { code: 'ERR_CONFIG' }, 'the shipped table stays as it was')
  t.throws(() => extendTable('backbone', table, [tiny]), { message: /backbone "Tiny": an extension may not take the name of another backbone/ })
  t.end()
})
