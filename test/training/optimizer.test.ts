import path from 'node:path'

import t from 'tap'

import { buildBackbone } from '../../lib/backbones/index.js'
import { optimizerSchema } from '../../lib/config/optimizer.js'
import { resolveRun } from '../../lib/config/resolve.js'
import { packageRoot } from '../../lib/setup/places.js'
import { matchesAny, patternsWithoutMatch } from '../../lib/training/name-patterns.js'
import { nativeOptimizer, type TrainableParameter } from '../../lib/training/optimizer.js'

const parameters: TrainableParameter[] = [
  { name: 'backbone.conv.weight', shape: [8, 3, 3, 3], part: 'backbone' },
  { name: 'backbone.bn.weight', shape: [8], part: 'backbone' },
  { name: 'backbone.attention.relative_position_bias_table', shape: [169, 3], part: 'backbone' },
  { name: 'head.weight', shape: [512, 10], part: 'head' },
]

const groups = (options: object) => nativeOptimizer(optimizerSchema.parse({ name: 'sgd', weight_decay: 0.01, ...options }), parameters).groups

t.test('one group holds everything by default', async (t) => {
  t.strictSame(groups({}), [{ names: parameters.map(({ name }) => name), lrMultiplier: 1, weightDecay: 0.01 }])
})

t.test('norm_and_bias keeps one-dimensional tensors from decay', async (t) => {
  const free = groups({ no_decay: 'norm_and_bias' }).find((group) => group.weightDecay === 0)
  t.strictSame(free?.names, ['backbone.bn.weight'])
})

t.test('patterns reach what no rule of shape does', async (t) => {
  const free = groups({ no_decay: ['*.relative_position_bias_table'] }).find((group) => group.weightDecay === 0)
  t.strictSame(free?.names, ['backbone.attention.relative_position_bias_table'])
})

t.test('the Swin recipe keeps every norm, bias and position table from decay, and nothing else', async (t) => {
  const { optimizer } = resolveRun({ file: path.join(packageRoot(), 'configs', 'recipes', 'backbones', 'Swin-T.yaml') }).config
  const { graph } = buildBackbone('SwinTransformer')
  const all = graph.state.filter((entry) => entry.kind === 'parameter').map(({ name, shape }): TrainableParameter => ({ name: `backbone.${name}`, shape, part: 'backbone' }))
  const byDecay = nativeOptimizer(optimizer, all).groups
  const wanted = all.filter(({ name, shape }) => shape.length <= 1 || name.endsWith('.relative_position_bias_table')).map(({ name }) => name)
  t.strictSame(byDecay.map(({ weightDecay }) => weightDecay).sort(), [0, 0.05])
  t.strictSame(byDecay.find(({ weightDecay }) => weightDecay === 0)!.names.toSorted(), wanted.toSorted())
  t.ok(wanted.filter((name) => name.endsWith('relative_position_bias_table')).length === 12, 'a table in each of the 12 blocks')
})

t.test('the head may learn at a rate of its own', async (t) => {
  const own = groups({ head: { lr_multiplier: 10, weight_decay: 0 } }).find((group) => group.lrMultiplier === 10)
  t.strictSame(own, { names: ['head.weight'], lrMultiplier: 10, weightDecay: 0 })
})

t.test('a pattern matches whole names and takes dots literally', async (t) => {
  t.ok(matchesAny('backbone.conv1.bn.weight', ['backbone.conv1.*']))
  t.notOk(matchesAny('backbone.conv10.weight', ['backbone.conv1.*']))
  t.notOk(matchesAny('backboneXconv1', ['backbone.conv1']))
  t.strictSame(patternsWithoutMatch(['head.*', 'haed.*'], ['head.weight']), ['haed.*'])
})
