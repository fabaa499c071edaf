// A network of 0.16 M parameters for images of 32 x 32, with which the trainings of docs/modes.md take a minute.
//
//   npx facex train CONFIG --set 'extensions=[examples/three-convolutions.mjs]' --set 'backbone={type: ThreeConvolutions}' --set head.feat_dim=128
import { defineBackbone, layers } from 'facex'

const { BatchNorm, Conv2d, Flatten, Linear, Module, PReLU } = layers

const WIDTHS = [16, 32, 64]

class ThreeConvolutions extends Module {
  constructor() {
    super()
    WIDTHS.forEach((width, i) => {
      this[`conv${i}`] = new Conv2d(WIDTHS[i - 1] ?? 3, width, 3, { stride: 2, padding: 1, bias: false })
      this[`bn${i}`] = new BatchNorm(width)
      this[`act${i}`] = new PReLU(width)
    })
    this.flatten = new Flatten()
    this.linear = new Linear(64 * 4 * 4, 128, { bias: false })
    this.out = new BatchNorm(128)
  }

  forward(x) {
    for (const i of WIDTHS.keys()) x = this[`act${i}`].call(this[`bn${i}`].call(this[`conv${i}`].call(x)))
    return this.out.call(this.linear.call(this.flatten.call(x)))
  }
}

export default defineBackbone({
  name: 'ThreeConvolutions',
  summary: 'three convolutions of stride 2 and a linear layer',
  options: {},
  input: () => [3, 32, 32],
  create: () => new ThreeConvolutions(),
})
