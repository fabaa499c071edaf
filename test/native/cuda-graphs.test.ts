/** Which steps can be recorded as CUDA graphs, decided before the first. What recorded ones compute: cuda-run.test.ts. */
import t from 'tap'

import { findHead } from '../../lib/heads/index.js'
import { build, Dropout, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { addon, type NativeVerb } from '../../lib/native.js'
import { accumulate, backward, batch, forward, loss, update } from '../../lib/training/program.js'

class Net extends Module {
  readonly flatten = new Flatten()
  readonly dropout: Dropout
  readonly linear = new Linear(3 * 4 * 4, 8)

  constructor(p: number) {
    super()
    this.dropout = new Dropout(p)
  }
  override forward(images: Value): Value {
    return this.linear.call(this.dropout.call(this.flatten.call(images)))
  }
}

const pass = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward()]

function make(program: readonly NativeVerb[], { dropout = 0, cudaGraphs = true } = {}): void {
  const definition = findHead('ArcFace')
  const head = { ...definition.create(definition.schema.parse({ feat_dim: 8, num_class: 4 })), dtype: 'float32', device: 'cpu' } as const
  const network = { graph: build(new Net(dropout), [3, 4, 4], 'Net'), options: { device: 'cpu', master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 } } as const
  new (addon().Trainer)({ networks: { backbone: network, teacher: network }, heads: { head }, program, seed: 1, onNonFinite: 'stop', cudaGraphs }).dispose()
}

t.test('steps that graphs cannot hold are refused with the reason', async (t) => {
  t.throws(() => make([...pass, update()], { dropout: 0.1 }), { code: 'ERR_CONFIG', message: /^cuda_graphs: dropout \(dropout\) draws its mask on the CPU.*; set cuda_graphs: false$/ })
  t.throws(() => make([...accumulate(2, (weight) => [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings', { weight }), backward()]), update()]), {
    code: 'ERR_CONFIG',
    message: /^cuda_graphs: network backbone runs several times a step/,
  })
  t.throws(() => make([...pass, update()]), { code: 'ERR_CONFIG', message: /^cuda_graphs: they need device cuda/ })
})

t.test('dropout that is off and passes without gradient are no reason; without cuda_graphs nothing is', async (t) => {
  const [first, , ...others] = pass
  const teacher = forward('teacher', 'images', 'wanted', { gradient: false })
  const calm = forward('backbone', 'images', 'embeddings', { stochastic: false })
  t.throws(() => make([first!, teacher, teacher, calm, ...others, update()], { dropout: 0.1 }), /they need device cuda/) // the last reason of all
  t.doesNotThrow(() => make([...pass, update()], { dropout: 0.1, cudaGraphs: false }))
})
