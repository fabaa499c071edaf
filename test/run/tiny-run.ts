/**
 * A run that takes a second: a few drawn images, the tiny backbone, every part of the real thing.
 * @module
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'

import type { RunConfigInput } from '../../lib/config/run.js'

const IDENTITIES = 6
const IMAGES = 8

/** Writes a data set of noise with a colour for each identity; returns its folder, with `train.txt` and `pairs.txt`. */
export async function writeTinyFaces(): Promise<string> {
  const root = mkdtempSync(path.join(tmpdir(), 'facex-tiny-'))
  const lines: string[] = []
  for (let identity = 0; identity < IDENTITIES; identity++) {
    mkdirSync(path.join(root, String(identity)))
    for (let image = 0; image < IMAGES; image++) {
      const name = `${identity}/${image}.png`
      const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (identity * 40 * ((i % 3) + 1) + i * image * 7) % 256)
      await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } }).png().toFile(path.join(root, name))
      lines.push(`${name} ${identity}\n`)
    }
  }
  writeFileSync(path.join(root, 'train.txt'), lines.join(''))
  const pairs = Array.from({ length: 20 }, (_, i) => `${i % IDENTITIES}/0.png ${(i % IDENTITIES) + (i % 2 === 0 ? 0 : i % IDENTITIES === 0 ? 1 : -1)}/1.png ${(i + 1) % 2}\n`)
  writeFileSync(path.join(root, 'pairs.txt'), pairs.join(''))
  return root
}

/** A new empty folder for a run. */
export function runFolder(): string {
  return path.join(mkdtempSync(path.join(tmpdir(), 'facex-run-')), 'run')
}

/** 12 steps an epoch; everything that makes resuming hard is on: momentum, dropout, augmentation, schedule, adaptive head. */
export function tinyConfig(root: string, changes: Partial<RunConfigInput> = {}): RunConfigInput {
  return {
    extensions: [fileURLToPath(new URL('tiny-backbone.js', import.meta.url))],
    out_dir: runFolder(),
    data: { train: [{ kind: 'list', root, list: path.join(root, 'train.txt') }], threads: 2, augment: [{ name: 'flip' }, { name: 'crop', margin: 2 }] },
    backbone: { type: 'Tiny' },
    head: { type: 'CurricularFace', scale: 16 },
    epochs: 4,
    batch_size: 4,
    optimizer: { name: 'sgd', lr: 0.02 },
    schedule: { name: 'cosine', warmup_epochs: 0.5 },
    device: 'cpu',
    threads: 2,
    seed: 5,
    log: { every: 5, tensorboard: false },
    ...changes,
  }
}
