/** What a user waits for: help on the screen, and the first training step of a fresh process. @module */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { packageRoot } from '../../lib/setup/places.js'
import type { BenchOptions } from '../options.js'
import { median, Peer } from '../peer.js'

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

const help = () => promisify(execFile)(process.execPath, [`${packageRoot()}/bin/facex.mjs`, '--help'])

async function firstStep(open: () => Promise<Peer>, threads: number): Promise<void> {
  const peer = await open()
  await peer.ask({ cmd: 'start', backbone: 'MobileFaceNet', batch: 16, classes: 1000, threads })
  peer.close()
}

export async function benchStartup({ rounds, threads }: BenchOptions, print: (line: string) => void): Promise<void> {
  const rows: [string, () => Promise<unknown>][] = [
    ['facex --help', help],
    ['facex: process start to first step (MobileFaceNet, batch 16)', () => firstStep(() => Peer.node('./workers/step.js'), threads)],
    ['PyTorch: the same', () => firstStep(() => Peer.python('step.py'), threads)],
  ]
  const times = rows.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, [, work]] of rows.entries()) times[i]!.push(await seconds(work))
  }
  print('| | median s | range |')
  print('|---|---|---|')
  for (const [i, [name]] of rows.entries()) {
    print(`| ${name} | ${median(times[i]!).toFixed(2)} | ${Math.min(...times[i]!).toFixed(2)} to ${Math.max(...times[i]!).toFixed(2)} |`)
  }
}
