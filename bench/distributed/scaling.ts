/**
 * How training scales, by a model of a few numbers: what one GPU computes in a second, what leaves a GPU inside a machine
 * and towards other machines, and how long a message takes. `node dist/bench/distributed/scaling.js --help`
 * @module
 */
import { parseArgs } from 'node:util'

import { operationSeconds, stepOperations } from './volume.js'

const DEFAULTS = {
  images_per_second: '2500',
  batch_per_gpu: '128',
  parameters: '65.2e6',
  dim: '512',
  norm_channels: '0',
  gradient_bytes: '4',
  gpus_per_node: '8',
  intra_gb: '300',
  inter_gb: '25',
  latency_us: '10',
  overlap: '0.8',
}

const usage = `Usage: node dist/bench/distributed/scaling.js [OPTIONS]

Images/s and efficiency for 8 to 512 GPUs. Options and defaults:

  --images_per_second ${DEFAULTS.images_per_second}   of one GPU, backbone and its share of the head
  --batch_per_gpu ${DEFAULTS.batch_per_gpu}
  --parameters ${DEFAULTS.parameters}      of the backbone
  --dim ${DEFAULTS.dim}                of an embedding
  --norm_channels ${DEFAULTS.norm_channels}        of synchronised batch norms
  --gradient_bytes ${DEFAULTS.gradient_bytes}       2 for bfloat16
  --gpus_per_node ${DEFAULTS.gpus_per_node}
  --intra_gb ${DEFAULTS.intra_gb}           GB/s that a GPU sends inside a machine
  --inter_gb ${DEFAULTS.inter_gb}            GB/s that a GPU sends to other machines
  --latency_us ${DEFAULTS.latency_us}          of one message
  --overlap ${DEFAULTS.overlap}            share of backward time that the gradients may hide behind
`

const { values } = parseArgs({ options: { ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' as const }])), help: { type: 'boolean' } } })
if (values['help']) {
  process.stdout.write(usage)
} else {
  const number = (name: keyof typeof DEFAULTS) => Number((values as Record<string, string | undefined>)[name] ?? DEFAULTS[name])
  process.stdout.write('| GPUs | step ms | gradients ms (hidden) | head ms | images/s | efficiency |\n|---|---|---|---|---|---|\n')
  for (let ranks = 8; ranks <= 512; ranks *= 2) process.stdout.write(`${row(ranks, number)}\n`)
}

function row(ranks: number, number: (name: keyof typeof DEFAULTS) => number): string {
  const batch = number('batch_per_gpu') * ranks
  const shape = { ranks, batch, dim: number('dim'), parameters: number('parameters'), gradientBytes: number('gradient_bytes'), normChannels: number('norm_channels'), sharesClasses: true }
  const inside = ranks <= number('gpus_per_node')
  const network = { bandwidth: 1e9 * (inside ? number('intra_gb') : Math.min(number('inter_gb'), number('intra_gb'))), latency: number('latency_us') / 1e6 }
  const { gradients, others } = stepOperations(shape)
  const compute = number('batch_per_gpu') / number('images_per_second')
  const gradientSeconds = operationSeconds(gradients, ranks, network)
  // Two thirds of the computing are backward.
  const hidden = Math.min(gradientSeconds, (2 / 3) * compute * number('overlap'))
  const otherSeconds = others.reduce((sum, operation) => sum + operationSeconds(operation, ranks, network), 0)
  const step = compute + gradientSeconds - hidden + otherSeconds
  const ms = (seconds: number) => (1000 * seconds).toFixed(1)
  return `| ${ranks} | ${ms(step)} | ${ms(gradientSeconds)} (${ms(hidden)}) | ${ms(otherSeconds)} | ${Math.round(batch / step).toLocaleString('en')} | ${((100 * compute) / step).toFixed(0)}% |`
}
