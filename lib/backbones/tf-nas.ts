/**
 * TF-NAS-A, found by latency-constrained architecture search. Hu et al., arXiv:2008.05314.
 * @module
 */
import { Activation, BatchNorm, Conv2d, Dropout, F, Flatten, init, Linear, Module, Sequential } from '../layers/index.js'
import type { Value } from '../layers/index.js'
import { defineBackbone, OUTPUT_OPTIONS, ratio } from './backbone.js'
import type { OutputConfig } from './output-layer.js'

type Act = 'relu' | 'silu'

/** Convolution, batch norm, activation; in the state dict the batch norm comes first. */
class ConvLayer extends Module {
  readonly bn: BatchNorm
  readonly act: Activation | undefined
  readonly conv: Conv2d

  constructor(inChannels: number, channels: number, kernel: number, act?: Act) {
    super()
    this.bn = new BatchNorm(channels)
    this.act = act === undefined ? undefined : new Activation(act)
    this.conv = new Conv2d(inChannels, channels, kernel, { padding: (kernel - 1) / 2, bias: false })
  }

  override forward(x: Value): Value {
    const y = this.bn.call(this.conv.call(x))
    return this.act?.call(y) ?? y
  }
}

/** Inverted residual with optional squeeze-and-excitation. */
class MBInvertedResBlock extends Module {
  readonly inverted_bottleneck: Sequential | undefined
  readonly depth_conv: Sequential
  readonly squeeze_excite: Sequential | undefined
  readonly point_linear: Sequential
  readonly #residual: boolean

  constructor([inChannels, middle, squeezed, channels, kernel]: Block, stride: number, act: Act) {
    super()
    const width = Math.max(inChannels, middle)
    const convBn = (conv: Conv2d, out: number) => ({ conv, bn: new BatchNorm(out) })
    const zeroBias = { init: { bias: init.zeros } }
    this.inverted_bottleneck =
      middle > inChannels
        ? new Sequential({ ...convBn(new Conv2d(inChannels, width, 1, { bias: false }), width), act: new Activation(act) })
        : undefined
    const depthwise = new Conv2d(width, width, kernel, { stride, padding: (kernel - 1) / 2, groups: width, bias: false })
    this.depth_conv = new Sequential({ ...convBn(depthwise, width), act: new Activation(act) })
    this.squeeze_excite =
      squeezed > 0
        ? new Sequential({
            conv_reduce: new Conv2d(width, squeezed, 1, zeroBias),
            act: new Activation(act),
            conv_expand: new Conv2d(squeezed, width, 1, zeroBias),
          })
        : undefined
    this.point_linear = new Sequential(convBn(new Conv2d(width, channels, 1, { bias: false }), channels))
    this.#residual = inChannels === channels && stride === 1
  }

  override forward(x: Value): Value {
    let y = this.depth_conv.call(this.inverted_bottleneck?.call(x) ?? x)
    if (this.squeeze_excite !== undefined) y = F.mul(y, F.sigmoid(this.squeeze_excite.call(F.globalAvgPool(y))))
    y = this.point_linear.call(y)
    return this.#residual ? F.add(y, x) : y
  }
}

/** Channels in, expanded, squeezed (0 without squeeze-and-excitation), out; kernel. */
type Block = readonly [number, number, number, number, number]

/** The first block of a stage has its stride. */
const STAGES: readonly { readonly stride: number; readonly act: Act; readonly blocks: readonly Block[] }[] = [
  {
    stride: 2,
    act: 'relu',
    blocks: [
      [16, 83, 32, 24, 3],
      [24, 128, 0, 24, 5],
    ],
  },
  {
    stride: 2,
    act: 'silu',
    blocks: [
      [24, 138, 48, 40, 3],
      [40, 297, 0, 40, 3],
      [40, 170, 80, 40, 5],
    ],
  },
  {
    stride: 2,
    act: 'silu',
    blocks: [
      [40, 248, 80, 80, 5],
      [80, 500, 0, 80, 3],
      [80, 424, 0, 80, 3],
      [80, 477, 0, 80, 3],
    ],
  },
  {
    stride: 1,
    act: 'silu',
    blocks: [
      [80, 504, 160, 112, 3],
      [112, 796, 0, 112, 3],
      [112, 723, 224, 112, 3],
      [112, 555, 224, 112, 3],
    ],
  },
  {
    stride: 2,
    act: 'silu',
    blocks: [
      [112, 813, 0, 192, 3],
      [192, 1370, 0, 192, 3],
      [192, 1138, 384, 192, 3],
      [192, 1359, 384, 192, 3],
    ],
  },
  {
    stride: 1,
    act: 'silu',
    blocks: [[192, 1203, 384, 320, 5]],
  },
]

function tfNasA(config: OutputConfig & { readonly drop_ratio: number }): Sequential {
  const stages = STAGES.map(({ stride, act, blocks }) => new Sequential(...blocks.map((block, i) => new MBInvertedResBlock(block, i === 0 ? stride : 1, act))))
  return new Sequential({
    first_stem: new ConvLayer(3, 32, 3, 'relu'),
    second_stem: new MBInvertedResBlock([32, 32, 8, 16, 3], 1, 'relu'),
    ...Object.fromEntries(stages.map((stage, i) => [`stage${i + 1}`, stage])),
    feature_mix_layer: new ConvLayer(320, 1280, 1),
    output_layer: new Sequential(
      new Dropout(config.drop_ratio),
      new Flatten(),
      new Linear(1280 * config.out_h * config.out_w, config.feat_dim, { init: { bias: init.zeros } }),
      new BatchNorm(config.feat_dim),
    ),
  })
}

export const tfNas = defineBackbone({
  name: 'TF-NAS',
  summary: 'TF-NAS-A, a searched mobile network',
  paper: 'arXiv:2008.05314',
  options: { drop_ratio: ratio(0.2, 'dropout before the embedding'), ...OUTPUT_OPTIONS },
  create: tfNasA,
})
