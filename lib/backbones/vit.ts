/**
 * Vision transformer for faces, as insightface trains it: no class token, the embedding comes from all tokens.
 * Dosovitskiy et al., arXiv:2010.11929; An et al., arXiv:2203.15565. ViT-S by default; ViT-B has depth 24.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Dropout, DropPath, F, init, LayerNorm, Module, ModuleList, Sequential } from '../layers/index.js'
import type { Declaration, Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import type { ImageShape } from './backbone.js'
import { Attention, dropPathRates, linear, Mlp, PatchEmbed } from './transformer.js'

interface ViTConfig {
  readonly patch_size: number
  readonly embed_dim: number
  readonly depth: number
  readonly num_heads: number
  readonly mlp_ratio: number
  readonly qkv_bias: boolean
  readonly drop_rate: number
  readonly drop_path_rate: number
  readonly feat_dim: number
}

class Block extends Module {
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly attn: Attention
  readonly drop_path: DropPath
  readonly mlp: Mlp

  constructor(config: ViTConfig, dropPath: number) {
    super()
    const features = config.embed_dim
    this.norm1 = new LayerNorm(features)
    this.norm2 = new LayerNorm(features)
    this.attn = new Attention(features, config.num_heads, { qkvBias: config.qkv_bias, dropRate: config.drop_rate })
    this.drop_path = new DropPath(dropPath)
    this.mlp = new Mlp(features, Math.trunc(features * config.mlp_ratio), 'relu6', config.drop_rate)
  }

  override forward(x: Value): Value {
    const y = F.add(x, this.drop_path.call(this.attn.call(this.norm1.call(x))))
    return F.add(y, this.drop_path.call(this.mlp.call(this.norm2.call(y))))
  }
}

class ViT extends Module {
  readonly pos_embed: Declaration
  /** In the published state dict for masking while training, which is not part of this network. */
  readonly mask_token: Declaration
  readonly patch_embed: PatchEmbed
  readonly pos_drop: Dropout
  readonly blocks: ModuleList
  readonly norm: LayerNorm
  readonly feature: Sequential

  constructor(config: ViTConfig, [, height, width]: ImageShape) {
    super()
    const { patch_size: patch, embed_dim: features } = config
    const tokens = Math.floor(height / patch) * Math.floor(width / patch)
    this.pos_embed = this.parameter('pos_embed', [1, tokens, features], init.truncatedNormal(0.02))
    this.mask_token = this.parameter('mask_token', [1, 1, features], init.normal(0.02))
    this.patch_embed = new PatchEmbed(patch, features, false)
    this.pos_drop = new Dropout(config.drop_rate)
    this.blocks = new ModuleList(dropPathRates(config.drop_path_rate, config.depth).map((rate) => new Block(config, rate)))
    this.norm = new LayerNorm(features)
    this.feature = new Sequential(
      linear(tokens * features, features, false),
      new BatchNorm(features, { eps: 2e-5 }),
      linear(features, config.feat_dim, false),
      new BatchNorm(config.feat_dim, { eps: 2e-5 }),
    )
  }

  override forward(x: Value): Value {
    const placed = x.trace.emit('add_parameter', [this.patch_embed.call(x)], {}, { weight: this.pos_embed })
    const tokens = this.blocks.list.reduce((value, block) => block!.call(value), this.pos_drop.call(placed))
    return this.feature.call(F.flatten(this.norm.call(tokens)))
  }
}

export const vit = defineBackbone({
  name: 'ViT',
  summary: 'vision transformer over patches of 9 (or 8) pixels; ViT-S by default, ViT-B with depth 24',
  paper: 'arXiv:2010.11929',
  options: {
    img_size: z.int().min(16).default(112).describe('height and width of the images'),
    patch_size: z.int().min(1).default(9).describe('side of a patch'),
    embed_dim: z.int().min(1).default(512).describe('features of a token'),
    depth: z.int().min(1).default(12).describe('blocks'),
    num_heads: z.int().min(1).default(8).describe('attention heads'),
    mlp_ratio: z.number().positive().default(4).describe('width of the hidden layers'),
    qkv_bias: z.boolean().default(false).describe('bias of the query, key and value projection'),
    drop_rate: ratio(0, 'dropout'),
    drop_path_rate: ratio(0.1, 'stochastic depth of the last block'),
    feat_dim: OUTPUT_OPTIONS.feat_dim,
  },
  refine: ({ img_size, patch_size }) => (patch_size > img_size ? `patch_size: expected at most img_size, ${img_size}, received ${patch_size}` : undefined),
  input: (config) => [3, config.img_size, config.img_size],
  create: (config, input) => new ViT(config, input),
})
