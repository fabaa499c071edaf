/**
 * Time and extra memory of a head's forward, backward and SGD step on batches of 128 embeddings of length 512: facex's
 * fused kernel against the same head written in the ordinary way in PyTorch eager.
 *
 * Extra memory is the peak of the process beyond what it held once the class centres were there: momentum, gradients and
 * whatever a step allocates. The floor is the three multiplications with the centres and the weight update alone, in
 * PyTorch.
 * @module
 */
import { HEAD_SIZES, type BenchOptions } from '../options.js'
import { Peer, median, spread } from '../peer.js'

const HEADS = ['AM-Softmax', 'ArcFace', 'MV-Softmax', 'MagFace']

interface Case {
  readonly head: string
  readonly classes: number
  /** Partial FC: the share of the classes that a step sees. */
  readonly sample_rate?: number
  /** The longer a step, the fewer of them say as much. */
  readonly rounds: number
  readonly steps: number
  /** Both sides in memory at once, so that they take turns; else one after the other. */
  readonly turns: boolean
}

function cases({ quick, rounds, steps, identities }: BenchOptions): Case[] {
  if (quick) return [...HEADS.map((head) => ({ head, classes: 2000, rounds, steps, turns: true })), partial(20_000, rounds)]
  return HEAD_SIZES.filter((classes) => identities?.includes(classes) ?? true).flatMap((classes) => {
    if (classes === HEAD_SIZES.at(-1)) return [partial(classes, rounds)]
    const many = classes === 500_000
    return HEADS.map((head) => ({ head, classes, rounds: many ? Math.min(rounds, 2) : rounds, steps: classes === 10_000 ? steps : 1, turns: true }))
  })
}

const partial = (classes: number, rounds: number): Case => ({ head: 'ArcFace', classes, sample_rate: 0.1, rounds: Math.min(rounds, 3), steps: 1, turns: false })

interface Side {
  readonly seconds: number[]
  /** Empty for facex, which is not measured against itself. */
  readonly floor: number[]
  extraBytes: number
}

/** Runs the sides of a case; each has a process of its own. */
async function measure(given: Case, threads: number): Promise<Side[]> {
  const open = [() => Peer.node('./workers/head.js'), () => Peer.python('heads.py')]
  const { head, classes, sample_rate, steps } = given
  const perStep = async (peer: Peer, cmd: string) => (await peer.ask({ cmd, steps })).seconds / steps
  const sides = open.map((): Side => ({ seconds: [], floor: [], extraBytes: 0 }))
  for (const group of given.turns ? [[0, 1]] : [[0], [1]]) {
    const peers = new Map<number, Peer>()
    for (const i of group) {
      const peer = await open[i]!()
      await peer.ask({ cmd: 'start', head, batch: 128, dims: 512, classes, threads, sample_rate: sample_rate ?? 1 })
      await peer.ask({ cmd: 'run', steps: 1 })
      peers.set(i, peer)
    }
    for (let round = 0; round < given.rounds; round++) {
      for (const [i, peer] of peers) sides[i]!.seconds.push(await perStep(peer, 'run'))
    }
    for (const [i, peer] of peers) {
      const { peak_bytes, base_bytes } = await peer.ask({ cmd: 'run', steps: 0 })
      sides[i]!.extraBytes = peak_bytes - Number(base_bytes)
      if (i === 1) for (let round = 0; round < 2; round++) sides[i]!.floor.push(await perStep(peer, 'floor'))
      peer.close()
    }
  }
  return sides
}

const milliseconds = (seconds: readonly number[]) => `${(median(seconds) * 1000).toFixed(0)} ms`
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

export async function benchHeads(options: BenchOptions, print: (line: string) => void): Promise<void> {
  print('| head | identities | facex | PyTorch eager | ratio | floor | extra memory | theirs | share |')
  print('|---|---|---|---|---|---|---|---|---|')
  for (const given of cases(options)) {
    const name = given.sample_rate === undefined ? given.head : `${given.head}, Partial FC ${given.sample_rate}`
    process.stderr.write(`${name}, ${given.classes} identities\n`)
    const [own, other] = (await measure(given, options.threads)) as [Side, Side]
    const cells = [
      name, given.classes.toLocaleString('en'), milliseconds(own.seconds), milliseconds(other.seconds),
      spread(own.seconds.map((seconds, round) => other.seconds[round]! / seconds)), milliseconds(other.floor),
      mebibytes(own.extraBytes), mebibytes(other.extraBytes), (own.extraBytes / other.extraBytes).toFixed(2),
    ]
    print(`| ${cells.join(' | ')} |`)
  }
}
