/**
 * `facex estimate`: the memory of a training run before it starts.
 * @module
 */
import { resolveRun } from '../config/resolve.js'
import { FacexError, unknownName } from '../errors.js'
import { memoryLines } from '../report/plan-lines.js'
import { estimateRun, type RunEstimate } from '../training/estimate.js'
import { parseOptions, wholeNumber } from './options.js'

export const usage = `Usage: facex estimate CONFIG [--set KEY=VALUE]... [OPTIONS]

Predicts the memory of a training run from its configuration: weights, gradients, optimizer, activations, logits, loader
and the process itself, and the most that is needed at once. Nothing is allocated and nothing starts.

--num_class K        identities to assume; without it the training lists are opened and counted
--device D           cpu or cuda instead of the configuration's; auto counts as cpu. No GPU is needed to ask.
--nproc N            the run is shared by N processes, as with \`facex launch\`: the memory of the first
--set KEY=VALUE      change an entry of the configuration, such as batch_size=256
--json               for machines, in bytes
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    { device: { type: 'string' }, json: { type: 'boolean' }, nproc: { type: 'string' }, num_class: { type: 'string' }, set: { type: 'string', multiple: true } },
    ['CONFIG'],
  )
  const [file] = positionals
  if (file === undefined) throw new FacexError('ERR_USAGE', `expected a configuration file\n\n${usage}`)
  const resolved = resolveRun({ file, set: values.set })
  const device = values.device ?? resolved.config.device
  if (!['auto', 'cpu', 'cuda'].includes(device)) throw new FacexError('ERR_USAGE', unknownName('device', device, ['auto', 'cpu', 'cuda']))
  const estimate = await estimateRun(resolved, device === 'cuda' ? 'cuda' : 'cpu', wholeNumber('num_class', values.num_class), wholeNumber('nproc', values.nproc))
  process.stdout.write(values.json ? `${JSON.stringify(estimate, null, 2)}\n` : `${lines(estimate).join('\n')}\n`)
  return 0
}

function lines({ backbone, head, classes, batch_size, precision, device, processes, memory }: RunEstimate): string[] {
  const shared = processes === 1 ? '' : `, the first of ${processes} processes`
  return [`${backbone} with ${head}, ${classes} classes, batch ${batch_size}, ${precision}, ${device}${shared}`, ...memoryLines(memory)]
}
