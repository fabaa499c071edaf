/** facex as a peer: answers the same requests as bench/peers/step.py. @module */
import { createInterface } from 'node:readline'

import { readConf } from '../../lib/backbones/conf.js'
import { addon } from '../../lib/native.js'
import { StepBenchmark } from '../../lib/training/benchmark.js'

interface Request {
  readonly cmd: 'start' | 'run' | 'extract'
  readonly backbone: string
  readonly batch: number
  readonly classes: number
  readonly threads: number
  readonly precision?: 'fp32' | 'bf16'
  readonly device: 'cpu' | 'cuda'
  readonly sampleRate?: number
  readonly cudaGraphs?: boolean
  readonly steps: number
  readonly batches: number
}

let benchmark: StepBenchmark | undefined

/** Bytes at the most so far: of the GPU where it computes, else of this process. */
const peak = (device: Request['device']) => (device === 'cuda' ? addon().info().cuda.peakMemory : process.resourceUsage().maxRSS * 1024)

let device: Request['device'] = 'cpu'

async function answer(request: Request): Promise<{ seconds: number }> {
  if (request.cmd === 'start') {
    device = request.device
    const backbone = readConf().find((entry) => entry.name === request.backbone)!
    benchmark = new StepBenchmark({ ...request, backbone, batchSize: request.batch })
    return benchmark.train(1)
  }
  return request.cmd === 'run' ? benchmark!.train(request.steps) : benchmark!.extract(request.batches)
}

for await (const line of createInterface({ input: process.stdin })) {
  const { seconds } = await answer(JSON.parse(line) as Request)
  process.stdout.write(`${JSON.stringify({ seconds, peak_bytes: peak(device) })}\n`)
}
