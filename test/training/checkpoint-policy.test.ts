import t from 'tap'
import { runSchema } from '../../lib/config/run.js'
import { stepsToBoundary } from '../../lib/training/boundaries.js'
import { checkpointName, checkpointSteps, isCheckpointDue, stepsToDelete } from '../../lib/training/checkpoint-policy.js'

const policy = (options: object = {}) => runSchema.shape.checkpoint.parse(options)

t.test('names sort as steps do and are read back', async (t) => {
  const names = [100, 20, 1_234_567_890].map(checkpointName)
  t.strictSame(checkpointSteps([...names, 'best.safetensors', 'step-1.safetensors.tmp']), [20, 100, 1_234_567_890])
})

t.test('the newest stay', async (t) => {
  t.strictSame(stepsToDelete([10, 20, 30, 40], policy({ keep_last: 2 }), 10), [20, 10])
  t.strictSame(stepsToDelete([10], policy({ keep_last: 2 }), 10), [])
})

t.test('checkpoints of every so many epochs stay for good', async (t) => {
  t.strictSame(stepsToDelete([10, 20, 30, 40, 45], policy({ keep_last: 1, keep_every_epochs: 2 }), 10), [30, 10])
})

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
