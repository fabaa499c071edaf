/** Layers that change no value outside training, only shape or noise. @module */
import { Module } from './module.js'
import type { Value } from './trace.js'

/** All dimensions to one vector, in NCHW order. */
export class Flatten extends Module {
  override forward(x: Value): Value {
    return x.trace.emit('flatten', [x])
  }
}

/** Zeroes elements with probability p while training. */
export class Dropout extends Module {
  constructor(readonly p: number) {
    super()
  }

  override forward(x: Value): Value {
    return this.p === 0 ? x : x.trace.emit('dropout', [x], { p: this.p })
  }
}

/** Stochastic depth: drops the whole value of an image with probability p while training. */
export class DropPath extends Module {
  constructor(readonly p: number) {
    super()
  }

  override forward(x: Value): Value {
    return this.p === 0 ? x : x.trace.emit('drop_path', [x], { p: this.p })
  }
}
