import t from 'tap'
import { optimizerSchema } from '../../lib/config/optimizer.js'
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
