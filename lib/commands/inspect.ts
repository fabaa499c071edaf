/**
 * `facex inspect`: what a file of weights holds.
 * @module
 */
import { FacexError } from '../errors.js'
import { inspectFile, type FileContent } from '../model/inspect.js'
import { describePreprocessing } from '../model/preprocessing.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex inspect FILE [--json]

Prints what a checkpoint, a safetensors file or a PyTorch file holds: format, description, and every tensor with its
element type and shape. Only headers are read, nothing in the file is executed.

--json  for machines
`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { json: { type: 'boolean' } }, ['FILE'])
  const file = positionals[0]
  if (file === undefined) throw new FacexError('ERR_USAGE', 'inspect needs a FILE')
  const content = await inspectFile(file)
  process.stdout.write(values.json === true ? `${JSON.stringify({ file, ...content }, null, 2)}\n` : print(content))
  return 0
}

function print(content: FileContent): string {
  const { format, tensors, elements, meta } = content
  const width = Math.max(0, ...tensors.map(({ name }) => name.length))
  const rows = tensors.map(({ name, dtype, shape }) => `  ${name.padEnd(width)}  ${dtype.padEnd(8)}  [${shape.join(', ')}]`)
  const facts = meta === undefined ? Object.entries(content.values).map(([name, value]) => `${name}: ${String(value)}`) : describe(meta)
  return [`format: ${format}`, ...facts, `tensors: ${tensors.length}, ${elements} elements`, ...rows, ''].join('\n')
}

function describe({ backbone, preprocessing, position, classes, metrics, versions }: NonNullable<FileContent['meta']>): string[] {
  return [
    `backbone: ${backbone.name} ${JSON.stringify(backbone.config)}`,
    `preprocessing: ${describePreprocessing(preprocessing)}`,
    `position: step ${position.step}, ${position.epoch} epochs and ${position.batch} batches`,
    ...(classes === undefined ? [] : [`classes: ${classes.count} (${classes.hash})`]),
    ...Object.entries(metrics).map(([name, value]) => `metric ${name}: ${value}`),
    `written by: facex ${versions.facex}, libtorch ${versions.libtorch || 'not used'}, Node ${versions.node}`,
  ]
}
