/**
 * Time and extra memory of a head's forward, backward and SGD step: facex's fused kernel against the same head written
 * in the ordinary way in PyTorch eager, in turns on the same machine.
 *
 * Extra memory is the peak of the process beyond what it held once the class centres were there. The floor is the three
 * multiplications with the centres and the weight update alone, in PyTorch.
 * @module
 */
import type { BenchOptions } from '../options.js'
import { Peer, median, spread } from '../peer.js'

const HEADS = ['ArcFace', 'AM-Softmax', 'MV-Softmax', 'MagFace']

interface Sides {
  readonly facex: number[]
  readonly torch: number[]
  readonly floor: number[]
  readonly memory: readonly [facex: number, torch: number]
}

async function measure(head: string, classes: number, { threads, rounds, steps }: BenchOptions): Promise<Sides> {
  const facex = await Peer.node('./workers/head.js')
  const torch = await Peer.python('heads.py')
  const setting = { cmd: 'start', head, classes, batch: 128, dims: 512, threads }
  for (const peer of [facex, torch]) {
    await peer.ask(setting)
    await peer.ask({ cmd: 'run', steps: 1 })
  }
  const perStep = async (peer: Peer, cmd: string) => (await peer.ask({ cmd, steps })).seconds / steps
  const sides = { facex: [] as number[], torch: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    sides.facex.push(await perStep(facex, 'run'))
    sides.torch.push(await perStep(torch, 'run'))
  }
  const extra = async (peer: Peer) => {
    const answer = await peer.ask({ cmd: 'run', steps: 0 })
    return answer.peak_bytes - Number(answer['base_bytes'])
  }
  const memory = [await extra(facex), await extra(torch)] as const
  const floor = [await perStep(torch, 'floor'), await perStep(torch, 'floor')]
  facex.close()
  torch.close()
  return { ...sides, floor, memory }
}

const milliseconds = (seconds: readonly number[]) => `${(median(seconds) * 1000).toFixed(0)} ms`
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

export async function benchHeads(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const classes = options.quick ? 2000 : 72_778
  print(`Batch 128, D 512, ${classes.toLocaleString('en')} identities.\n`)
  print('| head | facex | PyTorch eager | ratio | floor | extra memory | theirs | ratio |')
  print('|---|---|---|---|---|---|---|---|')
  for (const head of options.quick ? HEADS.slice(0, 1) : HEADS) {
    process.stderr.write(`head ${head}\n`)
    const { facex, torch, floor, memory } = await measure(head, classes, options)
    const cells = [
      head, milliseconds(facex), milliseconds(torch), spread(facex.map((seconds, round) => torch[round]! / seconds)),
      milliseconds(floor), mebibytes(memory[0]), mebibytes(memory[1]), (memory[1] / memory[0]).toFixed(2),
    ]
    print(`| ${cells.join(' | ')} |`)
  }
}
