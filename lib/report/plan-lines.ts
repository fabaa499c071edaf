/**
 * What a run will do, in words: for `--dry-run`, `--explain` and `facex estimate`.
 * @module
 */
import type { RunDetails } from '../training/explain.js'
import type { RunMemory } from '../training/memory.js'
import { rate } from './wording.js'

export function scheduleLines({ learningRates }: RunDetails): string[] {
  return [`learning rate: ${learningRates.map(({ epoch, lr }) => `${rate(lr)} from epoch ${epoch}`).join(', ')}`]
}

/** Parts of the memory, one a line, and what a run needs at once; `device` is where it trains. */
export function memoryLines(memory: RunMemory): string[] {
  const { device } = memory
  const peak = memory.peak > 1.02 * memory.steady ? `${size(memory.steady)}, up to ${size(memory.peak)} while a checkpoint is written` : size(memory.peak)
  const rows = MEMORY_ROWS.map(([part, what]) => [size(memory[part]), what] as const).filter(([shown]) => shown !== '0 MiB')
  const needed = device === undefined ? `memory, estimated: ${peak}` : `memory, estimated: ${size(device)} on the GPU beside the CUDA context, ${peak} in the process`
  return [`${needed}; not all parts are at their height together`, ...rows.map(([shown, what]) => `  ${shown.padStart(9)}  ${what}`)]
}

const MEMORY_ROWS = [
  ['activations', 'activations and their gradients'],
  ['weights', 'weights and statistics'],
  ['gradients', 'gradients of the weights'],
  ['optimizer', 'optimizer'],
  ['logits', 'logits, and the sample of Partial FC'],
  ['loader', 'decoded batches and the list of samples'],
  ['checkpoint', 'copy that a checkpoint is written from'],
  ['process', 'Node, libtorch and facex'],
] as const

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`
}

/** One line a part, and below it the paths of the nodes that it is about. */
export function precisionLines({ precision }: RunDetails): string[] {
  const part = Math.max(...precision.map((row) => row.part.length))
  const type = Math.max(...precision.map((row) => row.type.length))
  const lines = precision.flatMap((row) => [`${row.part.padEnd(part)}  ${row.type.padEnd(type)}  ${row.why}`, ...wrapped(row.nodes ?? [])])
  return ['', ...lines, '']
}

/** Words with commas in indented lines of at most 110 characters. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = []
  words.forEach((word, i) => {
    const text = i === words.length - 1 ? word : `${word},`
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + text.length <= 110) lines[lines.length - 1] = `${last} ${text}`
    else lines.push(`      ${text}`)
  })
  return lines
}
