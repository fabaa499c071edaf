/** Where the time of a training step goes. @module */
import type { StepBenchmark } from '../../training/benchmark.js'

const SLOWEST = 15

/** Milliseconds of a step by op, and its slowest nodes. */
export function profileText(benchmark: StepBenchmark): string {
  const nodes = benchmark.profile()
  const total = nodes.reduce((sum, node) => sum + node.forward + node.backward, 0)
  const byOp = new Map<string, { op: string; path: string; forward: number; backward: number }>()
  for (const { op, forward, backward } of nodes) {
    const sum = byOp.get(op) ?? { op, path: '', forward: 0, backward: 0 }
    byOp.set(op, { ...sum, forward: sum.forward + forward, backward: sum.backward + backward })
  }
  const line = ({ op, path, forward, backward }: { op: string; path: string; forward: number; backward: number }) =>
    `${op.padEnd(18)} ${(forward * 1000).toFixed(1).padStart(9)} ${(backward * 1000).toFixed(1).padStart(9)} ${((100 * (forward + backward)) / total).toFixed(1).padStart(6)}%  ${path}`
  const slowestFirst = (a: { forward: number; backward: number }, b: { forward: number; backward: number }) => b.forward + b.backward - a.forward - a.backward
  return [
    `one step of ${benchmark.batchSize} images: ${(total * 1000).toFixed(1)} ms in the network`,
    '                     forward  backward  share',
    ...[...byOp.values()].sort(slowestFirst).map(line),
    '',
    `the ${SLOWEST} slowest nodes`,
    ...[...nodes].sort(slowestFirst).slice(0, SLOWEST).map(line),
    '',
  ].join('\n')
}
