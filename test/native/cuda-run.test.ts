/** A whole run on the GPU against the same on the CPU. */
import t, { type Test } from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/index.js'
import { addon } from '../../lib/native.js'
import { StepBenchmark } from '../../lib/training/benchmark.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'
import { DEVICE } from './device.js'

const root = await writeTinyFaces()

async function losses(changes: Partial<RunConfigInput>): Promise<number[]> {
  const seen: number[] = []
  await train(tinyConfig(root, { log: { every: 1, tensorboard: false }, ...changes }), { listeners: [{ onStep: ({ loss }) => void seen.push(loss) }] })
  return seen
}

/** Rounding differs from the first step on and grows with the steps. */
function near(t: Test, found: readonly number[], expected: readonly number[]): void {
  t.equal(found.length, expected.length)
  for (const [step, loss] of expected.slice(0, 12).entries()) t.ok(Math.abs(found[step]! - loss) < 0.02 * Math.abs(loss), `step ${step + 1}: ${found[step]}, expected ${loss}`)
}

t.test('a run on CUDA learns as it does on the CPU', { skip: DEVICE !== 'cuda' && 'FACEX_TEST_DEVICE=cuda compares the two' }, async (t) => {
  near(t, await losses({ device: 'cuda', tf32: false }), await losses({ device: 'cpu' }))
})

t.test('each step by CUDA graphs is the plain step from the same weights', { skip: DEVICE !== 'cuda' && 'graphs are for CUDA' }, async (t) => {
  addon().allowTf32(false)
  const options = { backbone: { type: 'MobileFaceNet', config: {} }, batchSize: 16, classes: 100, device: 'cuda' } as const
  const [recorded, plain] = [new StepBenchmark({ ...options, cudaGraphs: true }), new StepBenchmark(options)]
  for (let step = 1; step <= 8; step++) {
    plain.trainer.load(await recorded.trainer.state()) // or rounding would grow with the steps
    const [{ loss }, { loss: expected }] = [await recorded.train(1), await plain.train(1)]
    t.ok(Math.abs(loss - expected) < 0.02 * Math.abs(expected), `step ${step}: ${loss}, expected ${expected}`)
  }
})

for (const precision of ['bf16', 'fp16'] as const) {
  t.test(`a run in ${precision} learns`, { skip: DEVICE !== 'cuda' && 'the run is for CUDA' }, async (t) => {
    const seen = await losses({ device: 'cuda', precision })
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length
    t.ok(mean(seen.slice(-12)) < mean(seen.slice(0, 12)))
  })
}
