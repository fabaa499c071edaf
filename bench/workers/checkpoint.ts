/** facex's side of the checkpoint benchmark: the requests of bench/peers/checkpoint.py over stdin and stdout. @module */
import { statSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { readConf } from '../../lib/backbones/conf.js'
import { readCheckpoint, writeCheckpoint, type CheckpointMeta } from '../../lib/model/checkpoint.js'
import { StepBenchmark } from '../../lib/training/benchmark.js'

interface Request {
  readonly cmd: 'start' | 'run' | 'save' | 'load'
  readonly backbone: string
  readonly batch: number
  readonly classes: number
  readonly threads: number
  readonly steps: number
  readonly file: string
}

/** What a checkpoint says about its run matters little to its size and time. */
const META: CheckpointMeta = {
  versions: { facex: '', node: '', libtorch: '' },
  position: { step: 1, epoch: 0, batch: 1 },
  seed: 0,
  counters: {},
  config: {},
  preprocessing: { color: 'bgr', mean: 127.5, std: 128, crop: 'full', height: 112, width: 112 },
  backbone: { name: 'ResNet', config: {} },
  metrics: {},
  state: {},
}

let benchmark: StepBenchmark

/** Training goes on for some steps while the file is written, as in a run. */
async function save({ file, steps }: Request) {
  const { trainer } = benchmark
  const begin = performance.now()
  const tensors = await trainer.state()
  const pause = (performance.now() - begin) / 1000
  const written = writeCheckpoint(file, { tensors, meta: META }).then(() => (performance.now() - begin) / 1000)
  const training = steps > 0 ? (await benchmark.train(steps)).seconds : 0
  const seconds = await written
  const tensorBytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0)
  trainer.releaseState(tensors)
  return { seconds, pause, training, bytes: statSync(file).size, tensor_bytes: tensorBytes }
}

async function load({ file }: Request) {
  const begin = performance.now()
  const { tensors } = await readCheckpoint(file)
  benchmark.trainer.load(tensors)
  return { seconds: (performance.now() - begin) / 1000 }
}

async function answer(request: Request): Promise<{ seconds: number }> {
  switch (request.cmd) {
    case 'start': {
      const backbone = readConf().find((entry) => entry.name === request.backbone)!
      benchmark = new StepBenchmark({ ...request, backbone, batchSize: request.batch })
      return benchmark.train(1)
    }
    case 'run':
      return benchmark.train(request.steps)
    case 'save':
      return save(request)
    case 'load':
      return load(request)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await answer(JSON.parse(line) as Request)
  process.stdout.write(`${JSON.stringify({ ...result, peak_bytes: process.resourceUsage().maxRSS * 1024 })}\n`)
}
