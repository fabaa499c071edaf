/**
 * The repeated part of HRNet: blocks on every resolution, then each resolution receives the sum of all others.
 * @module
 */
import { BatchNorm, Conv2d, F, Module, ModuleList, ReLU, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'

export type BlockName = 'BASIC' | 'BOTTLENECK'

/** Output channels of a block for each channel of its inside. */
export const EXPANSION: Readonly<Record<BlockName, number>> = { BASIC: 1, BOTTLENECK: 4 }

class BasicBlock extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm
  readonly conv2: Conv2d
  readonly bn2: BatchNorm
  readonly downsample: Sequential | undefined

  constructor(inChannels: number, channels: number, downsample?: Sequential) {
    super()
    this.conv1 = new Conv2d(inChannels, channels, 3, { padding: 1, bias: false })
    this.bn1 = new BatchNorm(channels)
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1, bias: false })
    this.bn2 = new BatchNorm(channels)
    this.downsample = downsample
  }

  override forward(x: Value): Value {
    const y = F.relu(this.bn1.call(this.conv1.call(x)))
    return F.relu(F.add(this.bn2.call(this.conv2.call(y)), this.downsample?.call(x) ?? x))
  }
}

class Bottleneck extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm
  readonly conv2: Conv2d
  readonly bn2: BatchNorm
  readonly conv3: Conv2d
  readonly bn3: BatchNorm
  readonly downsample: Sequential | undefined

  constructor(inChannels: number, channels: number, downsample?: Sequential) {
    super()
    this.conv1 = new Conv2d(inChannels, channels, 1, { bias: false })
    this.bn1 = new BatchNorm(channels)
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1, bias: false })
    this.bn2 = new BatchNorm(channels)
    this.conv3 = new Conv2d(channels, channels * 4, 1, { bias: false })
    this.bn3 = new BatchNorm(channels * 4)
    this.downsample = downsample
  }

  override forward(x: Value): Value {
    let y = F.relu(this.bn1.call(this.conv1.call(x)))
    y = F.relu(this.bn2.call(this.conv2.call(y)))
    return F.relu(F.add(this.bn3.call(this.conv3.call(y)), this.downsample?.call(x) ?? x))
  }
}

const BLOCKS = { BASIC: BasicBlock, BOTTLENECK: Bottleneck } as const

const convBn = (inChannels: number, channels: number, kernel: 1 | 3, stride: number) => [
  new Conv2d(inChannels, channels, kernel, { stride, padding: (kernel - 1) / 2, bias: false }),
  new BatchNorm(channels),
]

/** `count` blocks; the first adapts the channels. */
export function makeLayer(block: BlockName, inChannels: number, channels: number, count: number): Sequential {
  const Block = BLOCKS[block]
  const out = channels * EXPANSION[block]
  const downsample = inChannels === out ? undefined : new Sequential(...convBn(inChannels, out, 1, 1))
  const first = new Block(inChannels, channels, downsample)
  return new Sequential(first, ...Array.from({ length: count - 1 }, () => new Block(out, channels)))
}

export class HighResolutionModule extends Module<readonly [readonly Value[]], Value[]> {
  readonly branches: ModuleList<Sequential>
  readonly fuse_layers: ModuleList<ModuleList<Sequential>>

  /** `inChannels`: channels of each branch as they come in. */
  constructor(block: BlockName, blocks: readonly number[], channels: readonly number[], inChannels: readonly number[]) {
    super()
    this.branches = new ModuleList(channels.map((width, i) => makeLayer(block, inChannels[i]!, width, blocks[i]!)))
    const widths = channels.map((width) => width * EXPANSION[block])
    this.fuse_layers = new ModuleList(widths.map((_, to) => new ModuleList(widths.map((_, from) => fuseLayer(widths, from, to)))))
  }

  override forward(inputs: readonly Value[]): Value[] {
    const outputs = inputs.map((x, i) => this.branches.list[i]!.call(x))
    return outputs.map((target, to) => {
      const parts = outputs.map((source, from) => {
        const y = this.fuse_layers.list[to]!.list[from]?.call(source) ?? source
        return from > to ? F.upsample(y, target.size, 'nearest') : y
      })
      return F.relu(F.add(parts[0]!, ...parts.slice(1)))
    })
  }
}

/** Brings branch `from` to the channels of `to`: one 1 x 1 convolution before enlarging, or halvings on the way down. */
function fuseLayer(widths: readonly number[], from: number, to: number): Sequential | undefined {
  if (from === to) return undefined
  const [source, target] = [widths[from]!, widths[to]!]
  if (from > to) return new Sequential(...convBn(source, target, 1, 1))
  const halvings = Array.from({ length: to - from }, (_, k) =>
    k === to - from - 1 ? new Sequential(...convBn(source, target, 3, 2)) : new Sequential(...convBn(source, source, 3, 2), ReLU()),
  )
  return new Sequential(...halvings)
}
