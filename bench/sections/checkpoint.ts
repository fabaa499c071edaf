/**
 * Checkpoints of ResNet50 with as many identities as MS-Celeb-1M-v1c has: how long training waits, how long until the
 * file is safe, how large it is, how long it takes to load; beside torch.save and torch.load of the same state.
 *
 * facex goes on training while it writes. "Slower" is how much longer some steps take meanwhile than without.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { BenchOptions } from '../options.js'
import { median, Peer, type PeerAnswer } from '../peer.js'

const middle = (answers: readonly PeerAnswer[], key: string) => median(answers.map((answer) => Number(answer[key])))
const seconds = (value: number) => value.toFixed(2)
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

export async function benchCheckpoint({ threads, rounds, steps, quick }: BenchOptions, print: (line: string) => void): Promise<void> {
  const setting = quick
    ? { cmd: 'start', backbone: 'MobileFaceNet', batch: 4, classes: 2000, threads }
    : { cmd: 'start', backbone: 'ResNet50-ir', batch: 16, classes: 72_778, threads }
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-checkpoint-'))
  const [facex, torch] = [await Peer.node('./workers/checkpoint.js'), await Peer.python('checkpoint.py')]
  const files = [path.join(folder, 'facex.safetensors'), path.join(folder, 'torch.pt')] as const
  const rows = { facex: { save: [] as PeerAnswer[], load: [] as PeerAnswer[] }, torch: { save: [] as PeerAnswer[], load: [] as PeerAnswer[] } }
  const slower: number[] = []
  try {
    for (const peer of [facex, torch]) await peer.ask(setting)
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`checkpoint, round ${round + 1} of ${rounds}\n`)
      const undisturbed = (await facex.ask({ cmd: 'run', steps })).seconds
      const saved = await facex.ask({ cmd: 'save', file: files[0], steps })
      slower.push(Number(saved['training']) - undisturbed)
      rows.facex.save.push(saved)
      rows.torch.save.push(await torch.ask({ cmd: 'save', file: files[1] }))
      rows.facex.load.push(await facex.ask({ cmd: 'load', file: files[0] }))
      rows.torch.load.push(await torch.ask({ cmd: 'load', file: files[1] }))
    }
  } finally {
    facex.close()
    torch.close()
    rmSync(folder, { recursive: true })
  }
  const bytes = rows.facex.save[0]!
  print(`${setting.backbone} with ArcFace, ${setting.classes.toLocaleString('en')} identities, SGD with momentum; tensors of ${mebibytes(Number(bytes['tensor_bytes']))} MiB.`)
  print(`While facex writes, ${steps} steps take ${seconds(median(slower))} s longer (${slower.map(seconds).join(', ')}).\n`)
  print('| | training waits s | file safe after s | file MiB | load s |')
  print('|---|---|---|---|---|')
  for (const [name, { save, load }] of [['facex', rows.facex], ['torch.save, torch.load', rows.torch]] as const) {
    print(`| ${name} | ${seconds(middle(save, 'pause'))} | ${seconds(middle(save, 'seconds'))} | ${mebibytes(middle(save, 'bytes'))} | ${seconds(middle(load, 'seconds'))} |`)
  }
}
