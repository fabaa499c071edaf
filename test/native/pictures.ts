/**
 * Small generated pictures in files, and loaders over them.
 * @module
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp, { type Sharp } from 'sharp'

import { addon, type NativeFileSource, type NativeLoader, type NativeSource, type NativeLoaderSpec, type NativeTensor } from '../../lib/native.js'
import { DEVICE } from './device.js'

/** RGB noise with soft structure, so that no two pictures and no mirror image are alike. */
export function picture(seed: number, height = 32, width = 32): Sharp {
  const pixels = Buffer.alloc(height * width * 3)
  for (let i = 0; i < pixels.length; i++) {
    const x = Math.floor(i / 3) % width
    const y = Math.floor(i / 3 / width)
    pixels[i] = 128 + 60 * Math.sin((x * (seed + 2)) / 7 + i % 3) + 60 * Math.cos((y * (seed + 3)) / 9 + seed)
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** `count` JPEG files with three images a class. */
export async function pictureFiles(folder: string, count: number): Promise<NativeFileSource> {
  const names: string[] = []
  for (let i = 0; i < count; i++) {
    names.push(`${i}.jpg`)
    writeFileSync(path.join(folder, `${i}.jpg`), await picture(i).jpeg().toBuffer())
  }
  return filesOf(folder, names)
}

export function filesOf(root: string, names: readonly string[]): NativeFileSource {
  return { kind: 'files', root, paths: Buffer.from(names.map((name) => `${name}\n`).join('')), labels: Int32Array.from(names, (_, i) => Math.floor(i / 3)) }
}

export function loaderOf(source: NativeSource, options: Partial<NativeLoaderSpec> = {}): NativeLoader {
  const spec: NativeLoaderSpec = {
    source,
    height: 32,
    width: 32,
    color: 'bgr',
    batchSize: 4,
    views: 1,
    threads: 2,
    prefetch: 2,
    seed: 7,
    augmentations: [],
    onBadImage: 'fail',
    device: DEVICE,
    ...options,
  }
  return new (addon().Loader)(spec)
}

export interface LoadedBatch {
  readonly images: NativeTensor[]
  readonly labels: NativeTensor
  readonly indices: Uint32Array
}

/** All batches that are left in the epoch. */
export async function drain(loader: NativeLoader): Promise<LoadedBatch[]> {
  const batches: LoadedBatch[] = []
  for (let batch = await loader.next(); batch !== undefined; batch = await loader.next()) batches.push(batch)
  return batches
}

export function bytes(tensor: NativeTensor): Uint8Array {
  return new Uint8Array(tensor.data)
}

/** Hashes of the batches' images with labels and indices: tap does not look into array buffers. */
export function contentOf(batches: readonly LoadedBatch[]): unknown[] {
  return batches.map((batch) => ({
    images: batch.images.map((image) => createHash('sha256').update(bytes(image)).digest('hex')),
    labels: labelsOf(batch),
    indices: [...batch.indices],
  }))
}

export function labelsOf(batch: LoadedBatch): number[] {
  return [...new BigInt64Array(batch.labels.data)].map(Number)
}
