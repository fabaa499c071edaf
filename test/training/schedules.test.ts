import t from 'tap'
import { cosine } from '../../lib/training/schedules/cosine.js'
import { schedules } from '../../lib/training/schedules/index.js'
import { polynomial } from '../../lib/training/schedules/polynomial.js'
import { learningRates } from '../../lib/training/schedules/schedule.js'
import { step } from '../../lib/training/schedules/step.js'

const context = { lr: 0.1, stepsPerEpoch: 10, epochs: 20 }

t.test('step drops at the first step of a milestone epoch', async (t) => {
  const rate = step.create({ milestones: [10, 13] }, context)
  t.equal(rate(99), 0.1)
  t.match(rate(100).toFixed(12), '0.010000000000')
  t.match(rate(129).toFixed(12), '0.010000000000')
  t.match(rate(130).toFixed(12), '0.001000000000')
})

t.test('cosine starts at lr, is half way in the middle and ends at min_lr', async (t) => {
  const rate = cosine.create({ min_lr: 0.02 }, context)
  t.equal(rate(0), 0.1)
  t.match(rate(100).toFixed(12), '0.060000000000')
  t.match(rate(200).toFixed(12), '0.020000000000')
  t.equal(rate(500), rate(200), 'steps beyond the end keep the last rate')
})

t.test('polynomial follows its power', async (t) => {
  const rate = polynomial.create({ power: 2 }, context)
  t.match(rate(100).toFixed(12), (0.1 * 0.25).toFixed(12))
})

t.test('warm-up rises in a straight line and ends at the full rate', async (t) => {
  for (const schedule of [step, cosine, polynomial]) {
    const options = { warmup_epochs: 1, warmup_lr: 0.01 }
    const rate = schedule.create(options, context)
    t.match(rate(0).toFixed(12), (0.01 + 0.09 / 10).toFixed(12), `${schedule.name}: first step`)
    t.match(rate(9).toFixed(12), '0.100000000000', `${schedule.name}: last warm-up step`)
    t.match(rate(10).toFixed(12), '0.100000000000', `${schedule.name}: the schedule itself begins at lr`)
  }
})

t.test('decay_after_warmup: false counts the fall from the first step', async (t) => {
  const rate = cosine.create({ warmup_epochs: 2, decay_after_warmup: false }, context)
  const plain = cosine.create({}, context)
  t.equal(rate(20), plain(20))
  t.equal(rate(150), plain(150))
})

t.test('the rates of any stretch are those of the whole run, so resuming needs no schedule state', async (t) => {
  for (const schedule of schedules) {
    const rate = schedule.create({ warmup_epochs: 0.5 }, context)
    const whole = learningRates(rate, 0, 200)
    t.strictSame(learningRates(rate, 37, 50), whole.slice(37, 87), schedule.name)
  }
})

t.test('unknown keys are refused', async (t) => {
  t.throws(() => step.create({ milestone: [1] }, context), /milestone/)
})
