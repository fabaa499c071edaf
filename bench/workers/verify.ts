/** facex as a peer: answers the same requests as bench/peers/verify.py. @module */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { evaluatePairs } from '../../lib/evaluation/evaluate.js'
import type { ImagePairs } from '../../lib/evaluation/pair-set.js'
import { findRule } from '../../lib/evaluation/rules/index.js'
import { loadModel, type Model } from '../../lib/model/model.js'

interface Request {
  readonly cmd: 'start' | 'verify'
  readonly backbone: string
  /** A PyTorch file. */
  readonly weights: string
  readonly color: 'rgb' | 'bgr'
  readonly batch: number
  readonly threads: number
  /** JSON file of a {@link PairFile}. */
  readonly set: string
}

/** Images, and pairs as indices into them. */
export interface PairFile {
  readonly files: readonly string[]
  readonly first: readonly number[]
  readonly second: readonly number[]
  readonly genuine: readonly number[]
  readonly folds: number
}

let model: Model
let pairs: ImagePairs
let folds: number
let batchSize: number

async function start(request: Request): Promise<void> {
  const set = JSON.parse(readFileSync(request.set, 'utf8')) as PairFile
  const list = { paths: set.files, first: Uint32Array.from(set.first), second: Uint32Array.from(set.second), genuine: Uint8Array.from(set.genuine) }
  pairs = { name: 'pairs', files: set.files, list: { ...list, lines: new Uint32Array(set.first.length) }, place: (image) => set.files[image]! }
  folds = set.folds
  batchSize = request.batch
  model = await loadModel(request.weights, { backbone: request.backbone, threads: request.threads, preprocessing: { color: request.color } })
}

async function verify(): Promise<object> {
  const { accuracy, std, scores } = await evaluatePairs(model, pairs, { rule: findRule('facex_zoo'), folds, batchSize })
  return { accuracy, std, scores: [...scores] }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  const began = performance.now()
  const answer = request.cmd === 'start' ? await start(request) : await verify()
  process.stdout.write(`${JSON.stringify({ ...answer, seconds: (performance.now() - began) / 1000, peak_bytes: process.resourceUsage().maxRSS * 1024 })}\n`)
}
