/**
 * Time and extra memory of a head's forward, backward and SGD step: facex's fused kernel against the same head written
 * in the ordinary way in PyTorch eager, in turns on the same machine.
 *
 *     node dist/bench/heads/main.js [--classes 10000,72778] [--rounds 3] [--steps 2] [--threads 2]
 *
 * Extra memory is the peak of the process beyond what it held once the class centres were there. The floor is the three
 * multiplications with the centres and the weight update alone, in PyTorch.
 * @module
 */
import { parseArgs } from 'node:util'

import { Peer, median, spread } from '../peer.js'

const HEADS = ['AM-Softmax', 'ArcFace', 'MV-Softmax', 'MagFace']

const { values: flags } = parseArgs({
  options: {
    heads: { type: 'string', default: HEADS.join(',') },
    classes: { type: 'string', default: '10000,72778' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
  },
})
const steps = Number(flags.steps)

interface Sides {
  readonly facex: number[]
  readonly torch: number[]
  readonly floor: number[]
  readonly memory: readonly [facex: number, torch: number]
}

async function measure(head: string, classes: number): Promise<Sides> {
  const facex = await Peer.node('./heads/worker.js')
  const torch = await Peer.python('heads.py')
  const setting = { cmd: 'start', head, classes, batch: 128, dims: 512, threads: Number(flags.threads) }
  for (const peer of [facex, torch]) {
    await peer.ask(setting)
    await peer.ask({ cmd: 'run', steps: 1 })
  }
  const perStep = async (peer: Peer, cmd: string) => (await peer.ask({ cmd, steps })).seconds / steps
  const sides = { facex: [] as number[], torch: [] as number[] }
  for (let round = 0; round < Number(flags.rounds); round++) {
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

for (const classes of flags.classes.split(',').map(Number)) {
  for (const head of flags.heads.split(',')) {
    const { facex, torch, floor, memory } = await measure(head, classes)
    const faster = spread(facex.map((seconds, round) => torch[round]! / seconds))
    console.log(
      `${head} K=${classes}: facex ${milliseconds(facex)}, PyTorch ${milliseconds(torch)}, floor ${milliseconds(floor)}; ${faster} times faster; ` +
        `extra memory ${mebibytes(memory[0])} against ${mebibytes(memory[1])}, ratio ${(memory[0] / memory[1]).toFixed(2)}`,
    )
  }
}
