import t from 'tap'

import { Peers } from '../../lib/distributed/peers.js'
import { PreparationWarnings } from '../../lib/training/follower.js'

/** The warnings of rank 1 while rank 0 has found `common`. */
function second(common: readonly string[]): { warnings: PreparationWarnings; said: string[] } {
  const peers = new (class extends Peers {
    override async fromLead<T>(): Promise<T> {
      return common as T
    }
  })({ rank: 1, size: 2, localSize: 2 })
  const said: string[] = []
  return { said, warnings: new PreparationWarnings(peers, { onMessage: ({ text }) => void said.push(text) }) }
}

t.test('a rank that does not lead leaves out what rank 0 has found too, and says all that comes later', async (t) => {
  const { warnings, said } = second(['no GPU'])
  for (const text of ['no GPU', 'a GPU of its own']) warnings.hear({ level: 'warning', text })
  warnings.hear({ level: 'info', text: 'nothing of importance' })
  t.strictSame(said, [])
  await warnings.settle()
  warnings.hear({ level: 'warning', text: 'a damaged image' })
  t.strictSame(said, ['rank 1: a GPU of its own', 'rank 1: a damaged image'])
})

t.test('a preparation that fails leaves nothing unsaid', async (t) => {
  const { warnings, said } = second(['no GPU'])
  warnings.hear({ level: 'warning', text: 'no GPU' })
  warnings.abandon()
  t.strictSame(said, ['rank 1: no GPU'])
})
