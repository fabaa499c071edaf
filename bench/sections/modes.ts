/**
 * A step of each training mode with MobileFaceNet in fp32, against the same in PyTorch written in the ordinary way. A
 * sample of semi-siamese training is two images; images/s counts both.
 * @module
 */
import type { BenchOptions } from '../options.js'
import { median, Peer, spread } from '../peer.js'

const MODES = ['conventional', 'semi-siamese', 'siamese', 'triplet', 'distillation']

export async function benchModes(options: BenchOptions, print: (line: string) => void): Promise<void> {
  print('| mode | images/s | theirs | ratio | peak GB | theirs | ratio |')
  print('|---|---|---|---|---|---|---|')
  for (const mode of MODES) print(await pair(mode, options))
}

async function pair(mode: string, options: BenchOptions): Promise<string> {
  const { rounds, steps, threads } = options
  const batch = options.batchSizes('MobileFaceNet')[0]!
  process.stderr.write(`mode ${mode}\n`)
  const sides = [await Peer.node('./workers/modes.js'), await Peer.python('modes.py')]
  const rates: [number[], number[]] = [[], []]
  const peaks: [number, number] = [0, 0]
  const images = batch * steps * (mode === 'semi-siamese' ? 2 : 1)
  try {
    for (const peer of sides) await peer.ask({ cmd: 'start', mode, batch, classes: 1000, threads })
    for (let round = 0; round < rounds; round++) {
      for (const [side, peer] of sides.entries()) {
        const { seconds, peak_bytes } = await peer.ask({ cmd: 'run', steps })
        rates[side]!.push(images / seconds)
        peaks[side] = peak_bytes
      }
    }
  } finally {
    for (const peer of sides) peer.close()
  }
  const [own, other] = rates
  const [ownPeak, otherPeak] = peaks
  const speed = [median(own).toFixed(1), median(other).toFixed(1), spread(own.map((rate, round) => rate / other[round]!))]
  return `| ${[`${mode}, batch ${batch}`, ...speed, (ownPeak / 1e9).toFixed(2), (otherPeak / 1e9).toFixed(2), (otherPeak / ownPeak).toFixed(2)].join(' | ')} |`
}
