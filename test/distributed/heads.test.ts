import { fileURLToPath } from 'node:url'

import t from 'tap'

import { freePort } from '../../lib/distributed/free-port.js'
import { startRanks } from './ranks.js'

/** A tensor, or what a rank has of it. */
export interface Held {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** What a head has made of one batch. */
export interface HeadReport {
  readonly loss: number
  readonly extraLoss: number
  readonly gradEmbeddings: Held
  readonly grads: readonly Held[]
  readonly state: readonly Held[]
}

type Reports = Readonly<Record<string, HeadReport[]>>

t.setTimeout(300_000)

const CHILD = fileURLToPath(new URL('heads-child.js', import.meta.url))

async function reportsOf(size: number): Promise<Reports[]> {
  const outcomes = await startRanks(size, await freePort(), () => [CHILD]).outcomes
  return outcomes.map(({ status, stdout, stderr }) => {
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Reports
  })
}

/** Largest difference in units of the largest value. */
function distance(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  const scale = Math.max(1e-3, ...expected.map(Math.abs))
  return Math.max(0, ...found.map((value, i) => Math.abs(value - expected[i]!))) / scale
}

/** Parts of the ranks as one tensor: they lie one after the other along the axis that is shorter than the whole. */
function joined(parts: readonly Held[], whole: Held): number[] {
  const axis = whole.shape.findIndex((size, dim) => size !== parts[0]!.shape[dim])
  if (axis < 0) return [...parts[0]!.values]
  const outer = whole.shape.slice(0, axis).reduce((a, b) => a * b, 1)
  return Array.from({ length: outer }, (_, row) =>
    parts.flatMap(({ values }) => {
      const inner = values.length / outer
      return values.slice(row * inner, (row + 1) * inner)
    }),
  ).flat()
}

t.test('every head shared between ranks gives losses, gradients and state of one process, in float64 to 1e-9, and the same adaptive state on all', async (t) => {
  const [alone] = await reportsOf(1)
  for (const size of process.env['FACEX_ALL'] === '1' ? [2, 3, 4] : [2]) {
    const ranks = await reportsOf(size)
    for (const [name, expected] of Object.entries(alone!)) {
      let worst = 0
      expected.forEach((report, step) => {
        const found = ranks.map((rank) => rank[name]![step]!)
        worst = Math.max(worst, distance(joined(found.map(({ gradEmbeddings }) => gradEmbeddings), report.gradEmbeddings), report.gradEmbeddings.values))
        for (const key of ['loss', 'extraLoss'] as const) worst = Math.max(worst, distance([found[0]![key]], [report[key]]))
        for (const key of ['grads', 'state'] as const) {
          report[key].forEach((whole, i) => {
            const parts = found.map((one) => one[key][i]!)
            worst = Math.max(worst, distance(joined(parts, whole), whole.values))
            if (parts.every(({ shape }) => shape.join() === whole.shape.join())) parts.forEach((part) => t.strictSame(part.values, parts[0]!.values, `${name}: ${key} ${whole.name} is the same on all ranks`))
          })
        }
        found.forEach(({ loss }) => t.equal(loss, found[0]!.loss, `${name}: all ranks know the same loss`))
      })
      t.ok(worst < 1e-9, `${name} on ${size} ranks: worst difference ${worst}`)
    }
  }
})
