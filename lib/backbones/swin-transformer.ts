/**
 * Swin Transformer: attention inside windows that shift from block to block. Liu et al., arXiv:2103.14030.
 * Swin-T by default; Swin-S has depths 2, 2, 18, 2 and a drop path rate of 0.3.
 * @module
 */
import { z } from 'zod'

import { FacexError } from '../errors.js'
import { BatchNorm, Dropout, DropPath, F, Flatten, init, LayerNorm, Module, ModuleList, Sequential } from '../layers/index.js'
import type { Declaration, Value } from '../layers/index.js'
import type { Linear } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import type { ImageShape } from './backbone.js'
import { relativePositionIndex, shiftMask } from './swin-windows.js'
import type { Grid } from './swin-windows.js'
import { Attention, dropPathRates, linear, Mlp, PatchEmbed } from './transformer.js'
import type { AttentionBias } from './transformer.js'

class WindowAttention extends Attention {
  readonly relative_position_bias_table: Declaration
  readonly relative_position_index: Declaration
  readonly #mask: Declaration | undefined

  constructor(features: number, heads: number, window: number, dropRate: number, mask: Declaration | undefined) {
    super(features, heads, { qkvBias: true, dropRate })
    const offsets = (2 * window - 1) ** 2
    this.relative_position_bias_table = this.parameter('relative_position_bias_table', [offsets, heads], init.truncatedNormal(0.02))
    const index = relativePositionIndex(window)
    this.relative_position_index = this.buffer('relative_position_index', [window ** 2, window ** 2], init.values(index), 'int64')
    this.#mask = mask
  }

  protected override bias(): AttentionBias {
    return { bias_table: this.relative_position_bias_table, index: this.relative_position_index, mask: this.#mask }
  }
}

interface BlockConfig {
  readonly features: number
  readonly grid: Grid
  readonly heads: number
  readonly window: number
  readonly mlpRatio: number
  readonly dropRate: number
}

class SwinBlock extends Module {
  readonly attn_mask: Declaration | undefined
  readonly norm1: LayerNorm
  readonly attn: WindowAttention
  readonly drop_path: DropPath
  readonly norm2: LayerNorm
  readonly mlp: Mlp
  readonly #layout: { grid: Grid; window: number; shift: number }

  constructor(config: BlockConfig, shifted: boolean, dropPath: number) {
    super()
    const { features, grid } = config
    // A grid no larger than the window is one window, which has nothing to shift to.
    const fits = Math.min(...grid) <= config.window
    const window = fits ? Math.min(...grid) : config.window
    const shift = fits || !shifted ? 0 : Math.floor(config.window / 2)
    this.#layout = { grid, window, shift }
    const windows = (grid[0] * grid[1]) / window ** 2
    const mask = () => this.buffer('attn_mask', [windows, window ** 2, window ** 2], init.values(shiftMask(grid, window, shift)))
    this.attn_mask = shift > 0 ? mask() : undefined
    this.norm1 = new LayerNorm(features)
    this.attn = new WindowAttention(features, config.heads, window, config.dropRate, this.attn_mask)
    this.drop_path = new DropPath(dropPath)
    this.norm2 = new LayerNorm(features)
    this.mlp = new Mlp(features, Math.trunc(features * config.mlpRatio), 'gelu', config.dropRate)
  }

  override forward(x: Value): Value {
    const windows = x.trace.emit('window_partition', [this.norm1.call(x)], this.#layout)
    const attended = x.trace.emit('window_reverse', [this.attn.call(windows)], this.#layout)
    const y = F.add(x, this.drop_path.call(attended))
    return F.add(y, this.drop_path.call(this.mlp.call(this.norm2.call(y))))
  }
}

/** Halves the grid and doubles the features. */
class PatchMerging extends Module {
  readonly reduction: Linear
  readonly norm: LayerNorm
  readonly #grid: Grid

  constructor(features: number, grid: Grid) {
    super()
    this.reduction = linear(4 * features, 2 * features, false)
    this.norm = new LayerNorm(4 * features)
    this.#grid = grid
  }

  override forward(x: Value): Value {
    return this.reduction.call(this.norm.call(x.trace.emit('patch_merge', [x], { grid: this.#grid })))
  }
}

class Stage extends Module {
  readonly blocks: ModuleList
  readonly downsample: PatchMerging | undefined

  constructor(config: BlockConfig, dropPaths: readonly number[], last: boolean) {
    super()
    this.blocks = new ModuleList(dropPaths.map((dropPath, i) => new SwinBlock(config, i % 2 === 1, dropPath)))
    this.downsample = last ? undefined : new PatchMerging(config.features, config.grid)
  }

  override forward(x: Value): Value {
    const y = this.blocks.list.reduce((value, block) => block!.call(value), x)
    return this.downsample?.call(y) ?? y
  }
}

interface SwinConfig {
  readonly patch_size: number
  readonly embed_dim: number
  readonly depths: readonly number[]
  readonly num_heads: readonly number[]
  readonly window_size: number
  readonly mlp_ratio: number
  readonly drop_rate: number
  readonly drop_path_rate: number
  readonly feat_dim: number
}

class SwinTransformer extends Module {
  readonly patch_embed: PatchEmbed
  readonly pos_drop: Dropout
  readonly layers: ModuleList
  readonly output_layer: Sequential

  constructor(config: SwinConfig, [, height, width]: ImageShape) {
    super()
    const { depths, patch_size: patch } = config
    const grid = (stage: number): Grid => [Math.floor(height / patch) / 2 ** stage, Math.floor(width / patch) / 2 ** stage]
    depths.forEach((_, stage) => checkGrid(stage, grid(stage), config, height))
    this.patch_embed = new PatchEmbed(patch, config.embed_dim, true)
    this.pos_drop = new Dropout(config.drop_rate)
    const rates = dropPathRates(config.drop_path_rate, depths.reduce((sum, depth) => sum + depth, 0))
    const stages = depths.map((depth, i) => {
      const before = depths.slice(0, i).reduce((sum, count) => sum + count, 0)
      const block: BlockConfig = {
        features: config.embed_dim * 2 ** i,
        grid: grid(i),
        heads: config.num_heads[i]!,
        window: config.window_size,
        mlpRatio: config.mlp_ratio,
        dropRate: config.drop_rate,
      }
      return new Stage(block, rates.slice(before, before + depth), i === depths.length - 1)
    })
    this.layers = new ModuleList(stages)
    const features = config.embed_dim * 2 ** (depths.length - 1)
    const [lastHeight, lastWidth] = grid(depths.length - 1)
    this.output_layer = new Sequential(
      new LayerNorm(features),
      new Flatten(),
      linear(lastHeight * lastWidth * features, config.feat_dim),
      new BatchNorm(config.feat_dim),
    )
  }

  override forward(x: Value): Value {
    const tokens = this.pos_drop.call(this.patch_embed.call(x))
    return this.output_layer.call(this.layers.list.reduce((value, stage) => stage!.call(value), tokens))
  }
}

/** Each stage halves the grid of the one before, and windows divide it; one no larger than a window is one window. */
function checkGrid(stage: number, [height, width]: Grid, { patch_size: patch, window_size: window }: SwinConfig, imageHeight: number): void {
  const side = Math.min(height, width, window)
  if (Number.isInteger(height) && Number.isInteger(width) && height % side === 0 && width % side === 0) return
  const reason = Number.isInteger(height) && Number.isInteger(width) ? `which windows of ${window} do not divide` : 'as the stage before does not halve'
  const sizes = `images of ${imageHeight} rows, patch_size ${patch}, window_size ${window}`
  throw new FacexError('ERR_GRAPH', `layers.${stage}: a grid of ${height} x ${width} patches, ${reason} (${sizes}); 224 with patches of 4 and 112 with patches of 2 fit windows of 7`)
}

const positives = (values: number[], what: string) => z.array(z.int().min(1)).min(1).default(values).describe(what)

export const swinTransformer = defineBackbone({
  name: 'SwinTransformer',
  summary: 'shifted-window transformer for 224 x 224 images; Swin-T by default',
  paper: 'arXiv:2103.14030',
  options: {
    img_size: z.int().min(16).default(224).describe('height and width of the images'),
    patch_size: z.int().min(1).default(4).describe('side of a patch'),
    in_chans: z.literal(3).default(3).describe('channels of the images'),
    embed_dim: z.int().min(1).default(96).describe('features of the first stage'),
    depths: positives([2, 2, 6, 2], 'blocks of each stage'),
    num_heads: positives([3, 6, 12, 24], 'attention heads of each stage'),
    window_size: z.int().min(2).default(7).describe('side of a window, in patches'),
    mlp_ratio: z.number().positive().default(4).describe('width of the hidden layers'),
    drop_rate: ratio(0, 'dropout'),
    drop_path_rate: ratio(0.2, 'stochastic depth of the last block'),
    feat_dim: OUTPUT_OPTIONS.feat_dim,
  },
  refine({ depths, num_heads, img_size, patch_size }) {
    if (depths.length !== num_heads.length) return 'depths and num_heads must have one entry for each stage'
    return patch_size > img_size ? `patch_size: expected at most img_size, ${img_size}, received ${patch_size}` : undefined
  },
  input: (config) => [3, config.img_size, config.img_size],
  create: (config, input) => new SwinTransformer(config, input),
})
