import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { BACKBONES, buildBackbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { sharedPath } from '../shared.js'

interface Golden {
  title: string
  backbone: string
  config: Record<string, unknown>
  input: [number, number, number]
  params: number
  macs: number
  state: Record<string, number[]>
  train: { grads: Record<string, unknown> }
}

const folder = sharedPath('golden', 'backbones')

if (folder === undefined) {
  t.pass('golden values', { skip: 'this machine has no shared golden values' })
} else {
  for (const file of readdirSync(folder)) {
    const golden = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Golden
    if (!BACKBONES.some((backbone) => backbone.name === golden.backbone)) continue
    t.test(`${golden.title} has the published state dict, parameters and multiply-adds`, (t) => {
      const { graph, input } = buildBackbone(golden.backbone, golden.config)
      t.same(input, golden.input)
      const state = graph.state.map((entry) => `${entry.name} [${entry.shape.join(', ')}]`)
      t.same(state, Object.entries(golden.state).map(([name, shape]) => `${name} [${shape.join(', ')}]`))
      const { params, macs, dead } = cost(graph)
      t.equal(params, golden.params)
      t.equal(macs, golden.macs)
      const withoutGradient = Object.entries(golden.train.grads).filter(([, value]) => value === null)
      t.same(dead, withoutGradient.map(([name]) => name))
      t.end()
    })
  }
}
