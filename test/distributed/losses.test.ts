import { fileURLToPath } from 'node:url'

import t from 'tap'

import { freePort } from '../../lib/distributed/free-port.js'
import { startRanks } from './ranks.js'

t.setTimeout(600_000)

const CHILD = fileURLToPath(new URL('losses-child.js', import.meta.url))
/** Rounding of bfloat16 depends on the parts that are added up. */
const LIMITS: Readonly<Record<string, number>> = { 'bf16 gradients': 1e-2 }
/** Every rank draws 0.9 of its few classes, rounded up: all of them. */
const SAME_AS: Readonly<Record<string, string>> = { 'ArcFace, 0.9 sampled': 'ArcFace' }
/** Each rank draws its own sample: another loss, but one that all agree on. */
const OWN = 'ArcFace, 0.3 sampled'

async function lossesOn(size: number): Promise<Record<string, number[]>[]> {
  const outcomes = await startRanks(size, await freePort(), () => [CHILD]).outcomes
  return outcomes.map(({ status, stdout, stderr }) => {
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Record<string, number[]>
  })
}

t.test('every head gives the same losses on one rank and on several, in float64 to 1e-9', async (t) => {
  const [alone] = await lossesOn(1)
  for (const size of process.env['FACEX_ALL'] === '1' ? [2, 3] : [2]) {
    const ranks = await lossesOn(size)
    for (const name of Object.keys(alone!)) {
      const expected = alone![SAME_AS[name] ?? name]!
      for (const rank of ranks) t.strictSame(rank[name], ranks[0]![name], `${name}: ranks 0 and others agree in every bit`)
      const worst = Math.max(...expected.map((value, step) => Math.abs(ranks[0]![name]![step]! - value) / Math.abs(value)))
      t.ok(name === OWN ? Number.isFinite(worst) : worst <= (LIMITS[name] ?? 1e-9), `${name} on ${size} ranks: worst relative difference ${worst}`)
    }
  }
})
