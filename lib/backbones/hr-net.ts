/**
 * HRNet-W18: branches of several resolutions side by side that exchange their maps. Wang et al., arXiv:1908.07919.
 * @module
 */
import { z } from 'zod'

import { BatchNorm, Conv2d, F, Flatten, Linear, Module, ModuleList, ReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, inputForOutput, OUTPUT_OPTIONS } from './backbone.js'
import type { OutputConfig } from './output-layer.js'
import { EXPANSION, HighResolutionModule, makeLayer } from './hr-net-module.js'
import type { BlockName } from './hr-net-module.js'

interface StageConfig {
  readonly NUM_MODULES: number
  readonly BLOCK: BlockName
  readonly NUM_BLOCKS: readonly number[]
  readonly NUM_CHANNELS: readonly number[]
}

const convBnRelu = (inChannels: number, channels: number, stride: number, bias = false): Sequential =>
  new Sequential(new Conv2d(inChannels, channels, 3, { stride, padding: 1, bias }), new BatchNorm(channels), ReLU())

/** Channels of every branch of a stage. */
const widths = (stage: StageConfig): number[] => stage.NUM_CHANNELS.map((channels) => channels * EXPANSION[stage.BLOCK])

/** From the branches of one stage to those of the next: adapted where channels change, halved for new branches. */
class Transition extends ModuleList<Sequential> {
  constructor(before: readonly number[], after: readonly number[]) {
    const last = before.at(-1)!
    super(
      after.map((channels, i) => {
        if (i < before.length) return before[i] === channels ? undefined : convBnRelu(before[i]!, channels, 1)
        const steps = i + 1 - before.length
        return new Sequential(...Array.from({ length: steps }, (_, j) => convBnRelu(last, j === steps - 1 ? channels : last, 2)))
      }),
    )
  }

  /** Adapted and new branches both come from the branch of lowest resolution, as published. */
  apply(branches: readonly Value[]): Value[] {
    return this.list.map((layer, i) => layer?.call(branches.at(-1)!) ?? branches[i]!)
  }
}

/** Channels of the classification head's branches before their fourfold expansion. */
const HEAD = [32, 64, 128, 256] as const

interface HRNetConfig extends OutputConfig {
  readonly stage1: StageConfig
  readonly later: readonly StageConfig[]
}

class HRNet extends Module {
  readonly conv1 = new Conv2d(3, 64, 3, { stride: 2, padding: 1, bias: false })
  readonly bn1 = new BatchNorm(64)
  readonly conv2 = new Conv2d(64, 64, 3, { padding: 1, bias: false })
  readonly bn2 = new BatchNorm(64)
  readonly layer1: Sequential
  readonly transition1: Transition
  readonly stage2: ModuleList<HighResolutionModule>
  readonly transition2: Transition
  readonly stage3: ModuleList<HighResolutionModule>
  readonly transition3: Transition
  readonly stage4: ModuleList<HighResolutionModule>
  readonly incre_modules: ModuleList<Sequential>
  readonly downsamp_modules: ModuleList<Sequential>
  readonly final_layer: Sequential
  readonly output_layer: Sequential

  constructor({ stage1, later, ...output }: HRNetConfig) {
    super()
    const first = stage1.NUM_CHANNELS[0]!
    const [stage2, stage3, stage4] = later as [StageConfig, StageConfig, StageConfig]
    this.layer1 = makeLayer(stage1.BLOCK, 64, first, stage1.NUM_BLOCKS[0]!)
    this.transition1 = new Transition([first * EXPANSION[stage1.BLOCK]], widths(stage2))
    this.stage2 = stage(stage2)
    this.transition2 = new Transition(widths(stage2), widths(stage3))
    this.stage3 = stage(stage3)
    this.transition3 = new Transition(widths(stage3), widths(stage4))
    this.stage4 = stage(stage4)
    this.incre_modules = new ModuleList(widths(stage4).map((channels, i) => makeLayer('BOTTLENECK', channels, HEAD[i]!, 1)))
    this.downsamp_modules = new ModuleList(HEAD.slice(1).map((channels, i) => convBnRelu(HEAD[i]! * 4, channels * 4, 2, true)))
    this.final_layer = new Sequential(new Conv2d(HEAD[3] * 4, 2048, 1), new BatchNorm(2048), ReLU())
    this.output_layer = new Sequential(
      new Flatten(),
      new Linear(2048 * output.out_h * output.out_w, output.feat_dim, { bias: false }),
      new BatchNorm(output.feat_dim),
    )
  }

  override forward(x: Value): Value {
    const half = F.relu(this.bn1.call(this.conv1.call(x)))
    const stem = F.relu(this.bn2.call(this.conv2.call(half)))
    let branches = [this.layer1.call(stem)]
    const stages = [
      [this.transition1, this.stage2],
      [this.transition2, this.stage3],
      [this.transition3, this.stage4],
    ] as const
    for (const [transition, modules] of stages) {
      branches = transition.apply(branches)
      for (const module of modules.list) branches = module!.call(branches)
    }
    const [highest, ...lower] = branches.map((branch, i) => this.incre_modules.list[i]!.call(branch)) as [Value, ...Value[]]
    const merged = lower.reduce((y, branch, i) => F.add(branch, this.downsamp_modules.list[i]!.call(y)), highest)
    return this.output_layer.call(this.final_layer.call(merged))
  }
}

function stage(config: StageConfig): ModuleList<HighResolutionModule> {
  const { BLOCK, NUM_BLOCKS, NUM_CHANNELS } = config
  const make = () => new HighResolutionModule(BLOCK, NUM_BLOCKS, NUM_CHANNELS, widths(config))
  return new ModuleList(Array.from({ length: config.NUM_MODULES }, make))
}

/** Options of one stage with `branches` resolutions, under HRNet's own keys. */
function stageOptions(branches: number, modules: number, block: BlockName, blocks: number, channels: readonly number[]) {
  const count = z.literal(branches)
  const list = z.array(z.int().min(1)).length(branches)
  return z
    .strictObject({
      NUM_MODULES: branches === 1 ? z.literal(1).default(1) : z.int().min(1).default(modules),
      NUM_BRANCHES: count.optional(),
      // FaceX-Zoo's own spelling in the first stage.
      ...(branches === 1 ? { NUM_RANCHES: count.optional() } : {}),
      BLOCK: z.enum(['BASIC', 'BOTTLENECK']).default(block),
      NUM_BLOCKS: list.default(channels.map(() => blocks)),
      NUM_CHANNELS: list.default([...channels]),
      FUSE_METHOD: z.literal('SUM').default('SUM'),
    })
    .prefault({})
}

const EXTRA = z
  .strictObject({
    STAGE1: stageOptions(1, 1, 'BOTTLENECK', 4, [64]),
    STAGE2: stageOptions(2, 1, 'BASIC', 4, [18, 36]),
    STAGE3: stageOptions(3, 4, 'BASIC', 4, [18, 36, 72]),
    STAGE4: stageOptions(4, 3, 'BASIC', 4, [18, 36, 72, 144]),
  })
  .prefault({})

export const hrNet = defineBackbone({
  name: 'HRNet',
  summary: 'high-resolution network W18: four resolutions side by side',
  paper: 'arXiv:1908.07919',
  options: {
    NAME: z.literal('cls_hrnet').default('cls_hrnet').describe('variant'),
    IMAGE_SIZE: z.tuple([z.int().min(16), z.int().min(16)]).default([112, 112]).describe('width and height of the images'),
    EXTRA: EXTRA.describe('modules, blocks and channels of the four stages'),
    ...OUTPUT_OPTIONS,
  },
  input({ IMAGE_SIZE: [width, height], ...output }) {
    // The published file keeps IMAGE_SIZE when out_h is changed to that of the upper half.
    const agrees = Math.ceil(height / 16) === output.out_h && Math.ceil(width / 16) === output.out_w
    return agrees ? [3, height, width] : inputForOutput(output)
  },
  create: ({ EXTRA: { STAGE1, STAGE2, STAGE3, STAGE4 }, ...output }) => new HRNet({ ...output, stage1: STAGE1, later: [STAGE2, STAGE3, STAGE4] }),
})
