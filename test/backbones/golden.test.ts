import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { cost } from '../../lib/graph/cost.js'
import { packageRoot } from '../../lib/setup/places.js'
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

const own = path.join(packageRoot(), 'test', 'fixtures', 'backbones')
const shared = sharedPath('golden', 'backbones')
if (shared === undefined) t.pass('published networks', { skip: 'this machine has no shared golden values' })

for (const file of [own, ...(shared === undefined ? [] : [shared])].flatMap(filesOf)) {
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden
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

function filesOf(folder: string): string[] {
  return readdirSync(folder).map((file) => path.join(folder, file))
}
