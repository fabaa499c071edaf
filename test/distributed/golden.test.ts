import { fileURLToPath } from 'node:url'

import t from 'tap'

import { freePort } from '../../lib/distributed/free-port.js'
import { readGolden } from '../golden.js'
import { sharedPath } from '../shared.js'
import { startRanks } from './ranks.js'

export interface ConventionalGolden {
  readonly num_class: number
  readonly scale: number
  readonly margin_arc: number
  readonly margin_am: number
  readonly optimizer: { readonly weight_decay: number }
  readonly steps: readonly { readonly labels: number[]; readonly loss: number; readonly lr: number }[]
}

t.setTimeout(900_000)

const file = sharedPath('golden', 'training', 'conventional.json')
const skip = file === undefined ? 'no golden values here' : process.env['FACEX_ALL'] !== '1' && 'takes minutes: FACEX_ALL=1'

t.test('ten steps of conventional training on two ranks follow the reference of one process to 1e-6', { skip }, async (t) => {
  const { steps } = readGolden<ConventionalGolden>(file!)
  const child = fileURLToPath(new URL('golden-child.js', import.meta.url))
  const outcomes = await startRanks(2, await freePort(), () => [child, file!]).outcomes
  for (const { status, stdout, stderr } of outcomes) {
    t.equal(status, 0, stderr)
    const losses = JSON.parse(stdout) as number[]
    steps.forEach(({ loss }, step) => t.ok(Math.abs(losses[step]! - loss) < 1e-6 * Math.abs(loss), `loss of step ${step}: ${losses[step]} against ${loss}`))
  }
})
