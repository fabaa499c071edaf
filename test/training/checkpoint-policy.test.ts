import t from 'tap'
import { runSchema } from '../../lib/config/run.js'
import { stepsToBoundary } from '../../lib/training/boundaries.js'
import { isCheckpointDue } from '../../lib/training/checkpoint-policy.js'

const policy = (options: object = {}) => runSchema.shape.checkpoint.parse(options)

t.test('a checkpoint is due by epochs, by steps and by the clock', async (t) => {
  t.ok(isCheckpointDue(20, 0, policy({ every_epochs: 2 }), 10))
  t.notOk(isCheckpointDue(10, 0, policy({ every_epochs: 2 }), 10))
  t.ok(isCheckpointDue(15, 0, policy({ every_steps: 5 }), 10))
  t.ok(isCheckpointDue(13, 3, policy({ every_minutes: 2 }), 10))
  t.notOk(isCheckpointDue(13, 1, policy({ every_minutes: 2 }), 10))
})

t.test('a run of steps ends at the nearest boundary', async (t) => {
  t.equal(stepsToBoundary(0, [50, 30]), 30)
  t.equal(stepsToBoundary(30, [50, 30]), 20)
  t.equal(stepsToBoundary(50, [50, undefined, 30]), 10)
})
