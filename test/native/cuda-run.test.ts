/** A whole run on the GPU against the same on the CPU. */
import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/index.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'
import { DEVICE } from './device.js'

const root = await writeTinyFaces()

async function losses(changes: Partial<RunConfigInput>): Promise<number[]> {
  const seen: number[] = []
  await train(tinyConfig(root, { log: { every: 1, tensorboard: false }, ...changes }), { listeners: [{ onStep: ({ loss }) => void seen.push(loss) }] })
  return seen
}

t.test('a run on CUDA learns as it does on the CPU', { skip: DEVICE !== 'cuda' && 'FACEX_TEST_DEVICE=cuda compares the two' }, async (t) => {
  const expected = await losses({ device: 'cpu' })
  const found = await losses({ device: 'cuda', tf32: false })
  t.equal(found.length, expected.length)
  // Rounding differs from the first step on and grows with the steps.
  for (const [step, loss] of expected.slice(0, 12).entries()) t.ok(Math.abs(found[step]! - loss) < 0.02 * Math.abs(loss), `step ${step + 1}: ${found[step]} on CUDA, ${loss} on the CPU`)
})

for (const precision of ['bf16', 'fp16'] as const) {
  t.test(`a run in ${precision} learns`, { skip: DEVICE !== 'cuda' && 'the run is for CUDA' }, async (t) => {
    const seen = await losses({ device: 'cuda', precision })
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length
    t.ok(mean(seen.slice(-12)) < mean(seen.slice(0, 12)))
  })
}
