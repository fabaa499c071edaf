/**
 * Training step and extraction against PyTorch on the same machine, taking turns.
 *
 * `node dist/bench/step.js [--backbone MobileFaceNet] [--batch_size 64] [--classes 1000] [--threads 2] [--rounds 5]
 * [--steps 2] [--compile]`, with FACEX_PYTHON naming a Python that has torch. Prints one row a form.
 * @module
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { median, Peer, spread } from './peer.js'

const { values } = parseArgs({
  options: {
    backbone: { type: 'string', default: 'MobileFaceNet' },
    batch_size: { type: 'string', default: '64' },
    classes: { type: 'string', default: '1000' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '2' },
    compile: { type: 'boolean', default: false },
    bf16: { type: 'boolean', default: false },
  },
})

interface Form {
  readonly name: string
  readonly peer: Promise<Peer>
  readonly options: Record<string, unknown>
}

const forms: Form[] = [
  { name: 'PyTorch eager', peer: Peer.python('step.py'), options: {} },
  { name: 'PyTorch eager, channels-last', peer: Peer.python('step.py'), options: { layout: 'channels_last' } },
  ...(values.bf16 ? [{ name: 'PyTorch eager, channels-last, bf16', peer: Peer.python('step.py'), options: { layout: 'channels_last', precision: 'bf16' } }] : []),
  ...(values.compile ? [{ name: 'torch.compile, channels-last', peer: Peer.python('step.py'), options: { layout: 'channels_last', compile: true } }] : []),
  { name: 'facex', peer: Peer.node('./facex-peer.js'), options: {} },
  ...(values.bf16 ? [{ name: 'facex, bf16', peer: Peer.node('./facex-peer.js'), options: { precision: 'bf16' } }] : []),
]

const batch = Number(values.batch_size)
const steps = Number(values.steps)
const common = { backbone: values.backbone, batch, classes: Number(values.classes), threads: Number(values.threads) }
const results = new Map<string, { training: number[]; extraction: number[]; first: number; peak: number }>()
for (const { name, peer, options } of forms) {
  const { seconds } = await (await peer).ask({ cmd: 'start', ...common, ...options })
  results.set(name, { training: [], extraction: [], first: seconds, peak: 0 })
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const { name, peer } of forms) {
    const result = results.get(name)!
    const { seconds, peak_bytes } = await (await peer).ask({ cmd: 'run', steps })
    result.training.push((batch * steps) / seconds)
    result.peak = peak_bytes
    const extraction = await (await peer).ask({ cmd: 'extract', batches: steps })
    result.extraction.push((batch * steps) / extraction.seconds)
  }
}
for (const { peer } of forms) (await peer).close()

const base = results.get('PyTorch eager')!
const ratios = (own: readonly number[], other: readonly number[]) => spread(own.map((value, round) => value / other[round]!))
console.log(`${values.backbone}, batch ${batch}, ${values.classes} identities, ${values.threads} threads, ${values.rounds} rounds of ${steps} steps`)
console.log('| form | training images/s | ratio to eager | extraction images/s | ratio to eager | peak GB |')
console.log('|---|---|---|---|---|---|')
for (const [name, { training, extraction, peak }] of results) {
  console.log(
    `| ${name} | ${median(training).toFixed(1)} | ${ratios(training, base.training)} | ${median(extraction).toFixed(1)} | ${ratios(extraction, base.extraction)} | ${(peak / 1e9).toFixed(2)} |`,
  )
}
