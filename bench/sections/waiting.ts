/** How much of a training run on a GPU is waiting for images: from JPEG files on the disk, with all threads decoding. @module */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { train } from '../../lib/index.js'
import type { BenchOptions } from '../options.js'
import { openImages } from './loader.js'

export async function benchWaiting(options: BenchOptions, print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bench-'))
  try {
    const { root, list } = await openImages(options, folder)
    print('| network | images/s | share of waiting |')
    print('|---|---|---|')
    for (const backbone of ['MobileFaceNet', 'ResNet']) {
      if (performance.now() > options.end) {
        print(`\nNo time was left for ${backbone}. --minutes allows more.`)
        break
      }
      const batch = options.batchSizes('MobileFaceNet')[0]!
      let last = { imagesPerSecond: 0, waitShare: 0 }
      await train(
        {
          out_dir: path.join(folder, `run-${backbone}`),
          data: { train: [{ kind: 'list', root, list }], threads: options.threads },
          backbone: { type: backbone },
          head: { type: 'ArcFace' },
          device: options.device,
          precision: 'bf16',
          batch_size: batch,
          epochs: 3, // the last counts: files are in the page cache, algorithms chosen
          log: { tensorboard: false },
        },
        { listeners: [{ onEpoch: (report) => void (last = report) }] },
      )
      print(`| ${backbone} bf16, batch ${batch} | ${last.imagesPerSecond.toFixed(0)} | ${(100 * last.waitShare).toFixed(1)} % |`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
