/**
 * facex's side of the head benchmark, in a process of its own so that its peak memory is its own: the requests and
 * answers of bench/peers/heads.py over stdin and stdout.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { findHead } from '../../lib/heads/index.js'
import { addon } from '../../lib/native.js'
import type { NativeHead, NativeTensor } from '../../lib/native.js'

interface Request {
  readonly cmd: 'start' | 'run'
  readonly head: string
  readonly batch: number
  readonly dims: number
  readonly classes: number
  readonly threads: number
  readonly sample_rate: number
  readonly steps: number
}

let head: NativeHead
let embeddings: NativeTensor
let labels: NativeTensor
let baseBytes = 0
/** A sample of its own for every step of Partial FC. */
let randomKey = 0

function start({ head: name, batch, dims, classes, threads, sample_rate }: Request): void {
  addon().setThreads(threads)
  const definition = findHead(name)
  const pieces = definition.create(definition.schema.parse({ feat_dim: dims, num_class: classes, sample_rate }))
  head = new (addon().Head)({ ...pieces, dtype: 'float32', device: 'cpu' })
  head.initialise(1)
  const values = Float32Array.from({ length: batch * dims }, (_, i) => Math.sin(i * 7.13))
  embeddings = { name: 'embeddings', dtype: 'float32', shape: [batch, dims], data: values.buffer }
  const classOf = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 31) % classes))
  labels = { name: 'labels', dtype: 'int64', shape: [batch], data: classOf.buffer }
  baseBytes = status('VmRSS')
}

/** A figure of this process in bytes: VmRSS now, VmHWM at its highest. */
function status(key: string): number {
  return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  const began = performance.now()
  if (request.cmd === 'start') start(request)
  else for (let step = 0; step < request.steps; step++) head!.step({ embeddings: embeddings!, labels: labels!, lr: 0.01, momentum: 0.9, weightDecay: 1e-4, randomKey: randomKey++ })
  const seconds = (performance.now() - began) / 1000
  process.stdout.write(`${JSON.stringify({ seconds, peak_bytes: status('VmHWM'), base_bytes: baseBytes })}\n`)
}
