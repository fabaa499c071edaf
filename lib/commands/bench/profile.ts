/** Where the time of training and of inference goes. @module */
import type { NativeNodeTime } from '../../native.js'
import type { StepBenchmark } from '../../training/benchmark.js'

const SLOWEST = 15

/** Milliseconds of a training step and of embedding the batch, by op and of the slowest nodes. */
export function profileText(benchmark: StepBenchmark): string {
  const [step, extraction] = [benchmark.profile(), benchmark.profileExtraction()]
  const images = `${benchmark.batchSize} images`
  return [
    `one step of ${images}: ${milliseconds(step)} ms in the network`,
    ...table(step),
    `embedding ${images}: ${milliseconds(extraction)} ms on one thread`,
    ...table(extraction),
  ].join('\n')
}

const milliseconds = (nodes: readonly NativeNodeTime[]) => (1000 * total(nodes)).toFixed(1)
const total = (nodes: readonly NativeNodeTime[]) => nodes.reduce((sum, { forward, backward }) => sum + forward + backward, 0)

function table(nodes: readonly NativeNodeTime[]): string[] {
  const all = total(nodes)
  const byOp = new Map<string, NativeNodeTime>()
  for (const { op, forward, backward } of nodes) {
    const sum = byOp.get(op) ?? { op, path: '', forward: 0, backward: 0 }
    byOp.set(op, { ...sum, forward: sum.forward + forward, backward: sum.backward + backward })
  }
  const line = ({ op, path, forward, backward }: NativeNodeTime) =>
    `${op.padEnd(18)} ${(forward * 1000).toFixed(1).padStart(9)} ${(backward * 1000).toFixed(1).padStart(9)} ${((100 * (forward + backward)) / all).toFixed(1).padStart(6)}%  ${path}`
  const slowestFirst = (a: NativeNodeTime, b: NativeNodeTime) => b.forward + b.backward - a.forward - a.backward
  return [
    '                     forward  backward  share',
    ...[...byOp.values()].sort(slowestFirst).map(line),
    '',
    `the ${SLOWEST} slowest nodes`,
    ...[...nodes].sort(slowestFirst).slice(0, SLOWEST).map(line),
    '',
  ]
}
