/**
 * What a run will do, in words: for `--dry-run` and `--explain`.
 * @module
 */
import type { RunDetails } from '../training/explain.js'
import { rate } from './wording.js'

export function scheduleLines({ learningRates }: RunDetails): string[] {
  return [`learning rate: ${learningRates.map(({ epoch, lr }) => `${rate(lr)} from epoch ${epoch}`).join(', ')}`]
}

export function memoryLines({ memory }: RunDetails): string[] {
  const size = (bytes: number) => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`)
  const { activations, images, learning, total, weights } = memory
  return [`memory, estimated: ${size(total)} (activations ${size(activations)}, weights ${size(weights)}, gradients and optimizer ${size(learning)}, images ${size(images)}) beside libtorch itself`]
}

export function precisionLines({ precision }: RunDetails): string[] {
  const part = Math.max(...precision.map((row) => row.part.length))
  const type = Math.max(...precision.map((row) => row.type.length))
  return ['', ...precision.map((row) => `${row.part.padEnd(part)}  ${row.type.padEnd(type)}  ${row.why}`), '']
}
