import t from 'tap'
import { scheduleSchema } from '../../lib/config/optimizer.js'
import { createSchedule } from '../../lib/training/schedules/index.js'
import { learningRates } from '../../lib/training/schedules/schedule.js'

const NAMES = ['step', 'cosine', 'polynomial'] as const
const context = { lr: 0.1, stepsPerEpoch: 10, epochs: 20 }
const schedule = (name: string, options: object = {}) => createSchedule(scheduleSchema.parse({ name, ...options }), context)

t.test('step drops at the first step of a milestone epoch', async (t) => {
  const rate = schedule('step', { milestones: [10, 13] })
  t.equal(rate(99), 0.1)
  t.match(rate(100).toFixed(12), '0.010000000000')
  t.match(rate(129).toFixed(12), '0.010000000000')
  t.match(rate(130).toFixed(12), '0.001000000000')
})

t.test('cosine starts at lr, is half way in the middle and ends at min_lr', async (t) => {
  const rate = schedule('cosine', { min_lr: 0.02 })
  t.equal(rate(0), 0.1)
  t.match(rate(100).toFixed(12), '0.060000000000')
  t.match(rate(200).toFixed(12), '0.020000000000')
  t.equal(rate(500), rate(200), 'steps beyond the end keep the last rate')
})

t.test('polynomial follows its power', async (t) => {
  const rate = schedule('polynomial', { power: 2 })
  t.match(rate(100).toFixed(12), (0.1 * 0.25).toFixed(12))
})

t.test('warm-up rises in a straight line and ends at the full rate', async (t) => {
  for (const name of NAMES) {
    const rate = schedule(name, { warmup_epochs: 1, warmup_lr: 0.01 })
    t.match(rate(0).toFixed(12), (0.01 + 0.09 / 10).toFixed(12), `${name}: first step`)
    t.match(rate(9).toFixed(12), '0.100000000000', `${name}: last warm-up step`)
    t.match(rate(10).toFixed(12), '0.100000000000', `${name}: the schedule itself begins at lr`)
  }
})

t.test('decay_after_warmup: false counts the fall from the first step', async (t) => {
  const rate = schedule('cosine', { warmup_epochs: 2, decay_after_warmup: false })
  const plain = schedule('cosine', {})
  t.equal(rate(20), plain(20))
  t.equal(rate(150), plain(150))
})

t.test('the rates of any stretch are those of the whole run, so resuming needs no schedule state', async (t) => {
  for (const name of NAMES) {
    const rate = schedule(name, { warmup_epochs: 0.5 })
    const whole = learningRates(rate, 0, 200)
    t.strictSame(learningRates(rate, 37, 50), whole.slice(37, 87), name)
  }
})
