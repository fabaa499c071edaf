import t from 'tap'

import { BatchNorm, build, Conv2d, Dropout, F, Flatten, Linear, Module, ModuleList, ReLU, Sequential } from '../../lib/layers/index.js'
import type { Declaration, Value } from '../../lib/layers/index.js'

t.test('state entries are named by the properties, own entries first, parameters before buffers', (t) => {
  class Block extends Module {
    readonly table: Declaration
    readonly scale: Declaration
    readonly second = new Conv2d(3, 3, 1)
    readonly first = new Conv2d(3, 3, 1, { bias: false })
    readonly list = new ModuleList([undefined, new Linear(4, 4)])
    readonly named = new Sequential({ conv: new Conv2d(3, 3, 1, { bias: false }), act: ReLU() })
    readonly missing: Module | undefined = undefined

    constructor() {
      super()
      this.table = this.buffer('table', [2], { kind: 'values', values: [1, 2] })
      this.scale = this.parameter('scale', [1, 3, 4, 4], { kind: 'constant', value: 1 })
    }

    override forward(x: Value): Value {
      const scaled = x.trace.emit('add_parameter', [x], {}, { weight: this.scale })
      return this.named.call(this.second.call(scaled))
    }
  }
  const graph = build(new Block(), [3, 4, 4])
  const expected = ['scale', 'table', 'second.weight', 'second.bias', 'first.weight', 'list.1.weight', 'list.1.bias', 'named.conv.weight']
  t.same(graph.state.map((entry) => entry.name), expected, 'layers that forward never calls keep their entries')
  t.same(graph.nodes.map((node) => node.path), ['input', '', 'second', 'named.conv', 'named.act'])
  t.end()
})

t.test('names of a plain JavaScript class follow its assignments', (t) => {
  class Net extends Module {
    constructor() {
      super()
      const layers = this as unknown as Record<string, Module>
      layers['b'] = new Conv2d(3, 1, 1, { bias: false })
      layers['a'] = new Conv2d(1, 1, 1, { bias: false })
    }

    override forward(x: Value): Value {
      const { a, b } = this as unknown as Record<string, Module>
      return a!.call(b!.call(x))
    }
  }
  t.same(build(new Net(), [3, 4, 4]).state.map((entry) => entry.name), ['b.weight', 'a.weight'])
  t.end()
})

t.test('a layer made inside forward is a mistake that says what to do', (t) => {
  class Net extends Module {
    override forward(x: Value): Value {
      return new Conv2d(3, 8, 3).call(x)
    }
  }
  t.throws(() => build(new Net(), [3, 8, 8], 'net'), { code: 'ERR_GRAPH', message: /net: a Conv2d was called that is no property of its module; make it one in the constructor/ })
  t.end()
})

t.test('a shape mistake deep in the tree carries the path of its layer', (t) => {
  const net = new Sequential(new Conv2d(3, 8, 3), new Sequential(new BatchNorm(8), new Conv2d(4, 8, 3)))
  t.throws(() => build(net, [3, 8, 8]), { message: '1.1: expected 4 channels, got 8 (input [8, 6, 6], weight [8, 4, 3, 3])' })
  t.end()
})

t.test('one layer called twice is one set of parameters and two nodes', (t) => {
  class Net extends Module {
    readonly conv = new Conv2d(3, 3, 1, { bias: false })

    override forward(x: Value): Value {
      return F.add(this.conv.call(x), this.conv.call(F.relu(x)))
    }
  }
  const graph = build(new Net(), [3, 8, 8])
  t.same(graph.state.map((entry) => entry.name), ['conv.weight'])
  t.equal(graph.nodes.filter((node) => node.op === 'conv2d').length, 2)
  t.end()
})

t.test('dropout of rate 0 leaves no node', (t) => {
  t.same(build(new Sequential(new Dropout(0), new Flatten()), [3, 8, 8]).nodes.map((node) => node.op), ['input', 'flatten'])
  t.end()
})

t.test('convolutions and linear layers start as in PyTorch', (t) => {
  const { state } = build(new Sequential(new Conv2d(4, 8, 3, { groups: 2 }), new BatchNorm(8), new Flatten(), new Linear(8, 2)), [4, 3, 3])
  const bound = 1 / Math.sqrt(2 * 9)
  t.same(state[0]!.init, { kind: 'uniform', low: -bound, high: bound })
  t.same(state[1]!.init, { kind: 'uniform', low: -bound, high: bound })
  t.same(state.find((entry) => entry.name === '1.num_batches_tracked')!.dtype, 'int64')
  t.end()
})
