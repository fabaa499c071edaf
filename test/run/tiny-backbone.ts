/** A backbone small enough to train in milliseconds, as a user would add one. */
import { defineBackbone } from '../../lib/backbones/index.js'
import { BatchNorm, Conv2d, Dropout, Flatten, Linear, Module, PReLU, type Value } from '../../lib/layers/index.js'

class Tiny extends Module {
  readonly conv = new Conv2d(3, 8, 3, { stride: 2, padding: 1 })
  readonly bn = new BatchNorm(8)
  readonly prelu = new PReLU(8)
  readonly flatten = new Flatten()
  readonly dropout = new Dropout(0.2)
  readonly linear = new Linear(8 * 8 * 8, 16)

  override forward(images: Value): Value {
    const features = this.prelu.call(this.bn.call(this.conv.call(images)))
    return this.linear.call(this.dropout.call(this.flatten.call(features)))
  }
}

export default defineBackbone({
  name: 'Tiny',
  summary: 'one convolution, for tests',
  options: {},
  input: () => [3, 16, 16],
  create: () => new Tiny(),
})
