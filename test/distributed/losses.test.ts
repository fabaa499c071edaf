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

/** Steps of each case, and parameters of its convolution. */
const [STEPS, CONVOLUTION] = [4, 4 * 3 * 9 + 4]

/** What a rank has made of one case. */
export interface CaseReport {
  readonly losses: readonly number[]
  /** Bytes that it has handed to all-reduces. */
  readonly allReduced: number
}

async function reportsOf(size: number): Promise<Record<string, CaseReport>[]> {
  const outcomes = await startRanks(size, await freePort(), () => [CHILD]).outcomes
  return outcomes.map(({ status, stdout, stderr }) => {
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Record<string, CaseReport>
  })
}

t.test('every head gives the same losses on one rank and on several, in float64 to 1e-9', async (t) => {
  const [alone] = await reportsOf(1)
  for (const size of process.env['FACEX_ALL'] === '1' ? [2, 3, 4] : [2]) {
    const ranks = await reportsOf(size)
    for (const name of Object.keys(alone!)) {
      const expected = alone![SAME_AS[name] ?? name]!.losses
      const found = ranks[0]![name]!.losses
      for (const rank of ranks) t.strictSame(rank[name]!.losses, found, `${name}: ranks 0 and others agree in every bit`)
      const worst = Math.max(...expected.map((value, step) => Math.abs(found[step]! - value) / Math.abs(value)))
      t.ok(name === OWN ? Number.isFinite(worst) : worst <= (LIMITS[name] ?? 1e-9), `${name} on ${size} ranks: worst relative difference ${worst}`)
    }
    const frozen = ranks[0]!['ArcFace']!.allReduced - ranks[0]!['ArcFace, the convolution frozen']!.allReduced
    t.equal(frozen, STEPS * CONVOLUTION * 8, 'gradients of what does not learn stay where they are')
  }
})
