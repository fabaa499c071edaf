import { spawnSync } from 'node:child_process'

import t from 'tap'

import { BatchNorm, build, Conv2d, Flatten, Linear, Module, type Value } from '../../lib/layers/index.js'
import { findHead } from '../../lib/heads/index.js'
import { addon, type NativeMemoryBatches, type NativeTensor, type NativeTrainer, type NativeVerb } from '../../lib/native.js'
import { average, backward, batch, clip, forward, loss, update } from '../../lib/training/program.js'
import { DEVICE } from './device.js'

const SIZE = 32

class Net extends Module {
  readonly conv = new Conv2d(3, 16, 3, { padding: 1 })
  readonly bn = new BatchNorm(16)
  readonly flatten = new Flatten()
  readonly linear = new Linear(16 * SIZE * SIZE, 8)

  override forward(images: Value): Value {
    return this.linear.call(this.flatten.call(this.bn.call(this.conv.call(images))))
  }
}

const graph = build(new Net(), [3, SIZE, SIZE], 'Net')
const network = { graph, options: { device: DEVICE, master: 'float32', compute: 'float32', pixelMean: 127.5, pixelScale: 1 / 128 } } as const
const definition = findHead('ArcFace')
const head = { ...definition.create(definition.schema.parse({ feat_dim: 8, num_class: 4 })), dtype: 'float32', device: DEVICE } as const
const STEP = [batch(['images']), forward('backbone', 'images', 'embeddings'), loss('head', 'embeddings'), backward(), update()]

function makeTrainer(program: readonly NativeVerb[] = STEP, networks: Record<string, typeof network> = { backbone: network }): NativeTrainer {
  const trainer = new (addon().Trainer)({ networks, heads: { head }, program, seed: 3, onNonFinite: 'stop' })
  const names = trainer.parameters().map(({ name }) => name).filter((name) => /^(backbone|head)\./.test(name))
  trainer.setOptimizer({ name: 'sgd', values: { momentum: 0.9, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 0 }] })
  trainer.initialise(3)
  return trainer
}

/** `count` batches of 4 * `size` images. */
function batches(count: number, size = 1): NativeMemoryBatches {
  const source = new (addon().MemoryBatches)()
  const samples = 4 * size
  for (let b = 0; b < count; b++) {
    const pixels = Uint8Array.from({ length: samples * SIZE * SIZE * 3 }, (_, i) => (i * 31 + b * 17 + Math.floor(i / 3072) * 60) % 256)
    const images = { name: 'images', dtype: 'uint8', shape: [samples, SIZE, SIZE, 3], data: pixels.buffer } as const
    const labels = { name: 'labels', dtype: 'int64', shape: [samples], data: BigInt64Array.from({ length: samples }, (_, i) => BigInt(i % 4)).buffer } as const
    source.push({ images: [images], labels })
  }
  return source
}

const run = (trainer: NativeTrainer, steps: number, size?: number) =>
  trainer.run({ loader: batches(steps, size), lr: new Float64Array(steps).fill(0.01), progressMs: 20 }, () => {})

async function values(trainer: NativeTrainer, pattern: RegExp): Promise<Map<string, Float32Array>> {
  const state = (await trainer.state()).filter(({ name }) => pattern.test(name))
  return new Map(state.map(({ name, data }: NativeTensor) => [name, new Float32Array(data)]))
}

t.test('training leaves the event loop free', async (t) => {
  const trainer = makeTrainer()
  await run(trainer, 1)
  const loader = batches(10, 64)
  let ticks = 0
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    ticks++
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 2)
  const begun = performance.now()
  await trainer.run({ loader, lr: new Float64Array(10).fill(0.01), progressMs: 20 }, () => {})
  const ms = performance.now() - begun
  clearInterval(timer)
  t.comment(`${ticks} ticks of a 2 ms timer in ${ms.toFixed(0)} ms of training, longest gap ${longest.toFixed(1)} ms`)
  t.ok(longest < ms / 4, 'no gap comes near the length of training')
})

t.test('progress arrives while steps run, and adds up to them', async (t) => {
  const trainer = makeTrainer()
  const seen: number[] = []
  let steps = 0
  const result = await trainer.run({ loader: batches(20), lr: new Float64Array(20).fill(0.01), progressMs: 0 }, (progress) => {
    seen.push(progress.step)
    steps += progress.steps
  })
  t.equal(result.steps, 20)
  t.equal(result.losses.length, 20)
  t.equal(steps, 20)
  t.strictSame(seen, seen.toSorted((a, b) => a - b))
  t.match(trainer.counters(), { step: 20, updates: 20, skipped: 0 })
})

t.test('a run stops after the step in flight and can go on', async (t) => {
  const trainer = makeTrainer()
  const loader = batches(200)
  const lr = new Float64Array(200).fill(0.01)
  const { steps } = await trainer.run({ loader, lr, progressMs: 0 }, ({ step }) => {
    if (step >= 3) trainer.stop()
  })
  t.ok(steps >= 3 && steps < 200, `${steps} steps`)
  const rest = await trainer.run({ loader, lr: lr.subarray(steps), progressMs: 1e9 }, () => {})
  t.equal(steps + rest.steps, 200)
})

t.test('state and counters put into another trainer continue in the same bits', async (t) => {
  const straight = makeTrainer()
  const loader = batches(8)
  await straight.run({ loader, lr: new Float64Array(4).fill(0.01), progressMs: 1e9 }, () => {})
  const other = makeTrainer()
  other.initialise(99)
  other.load(await straight.state())
  other.loadCounters(straight.counters())
  await run(straight, 3)
  await run(other, 3)
  t.strictSame(await values(other, /./), await values(straight, /./))
})

t.test('what would disturb a run is refused while it runs', async (t) => {
  const trainer = makeTrainer()
  const running = run(trainer, 20, 16)
  for (const disturb of [() => trainer.initialise(1), () => trainer.load([]), () => trainer.counters(), () => trainer.dispose()]) {
    t.throws(disturb, { code: 'ERR_NATIVE', message: /the trainer is running/ })
  }
  await running
  trainer.dispose()
  t.throws(() => trainer.counters(), { code: 'ERR_DISPOSED' })
})

t.test('an exception in the progress callback fails the run with that exception', async (t) => {
  const trainer = makeTrainer()
  const failing = trainer.run({ loader: batches(50), lr: new Float64Array(50), progressMs: 0 }, () => {
    throw new Error('from the callback')
  })
  await t.rejects(failing, /from the callback/)
  await t.resolves(run(trainer, 1), 'the trainer is still usable')
})

t.test('clipping bounds what one update can do', async (t) => {
  const [wild, tame] = [makeTrainer(), makeTrainer([...STEP.slice(0, 4), clip(1e-3), update()])]
  const before = await values(wild, /^(backbone|head)\.(?!.*(running|num_batches))/)
  const distance = async (trainer: NativeTrainer) => {
    let square = 0
    for (const [name, after] of await values(trainer, /^(backbone|head)\.(?!.*(running|num_batches))/)) after.forEach((value, i) => (square += (value - before.get(name)![i]!) ** 2))
    return Math.sqrt(square)
  }
  await run(wild, 1)
  await run(tame, 1)
  const moved = await distance(tame)
  t.ok(moved > 0.9e-5 && moved < 1.1e-5, `lr 0.01 times norm 0.001 is 1e-5, moved ${moved}`)
  t.ok((await distance(wild)) > moved)
})

t.test('a moving average follows parameters, and buffers only where asked', async (t) => {
  const networks = { backbone: network, slow: network }
  const trainer = makeTrainer([...STEP, average('backbone', 'slow', 0.75)], networks)
  const start = (await values(trainer, /^slow\.linear\.weight$/)).get('slow.linear.weight')!
  await run(trainer, 1)
  const fast = (await values(trainer, /^backbone\.linear\.weight$/)).get('backbone.linear.weight')!
  const slow = (await values(trainer, /^slow\.linear\.weight$/)).get('slow.linear.weight')!
  t.ok(slow.every((value, i) => Math.abs(value - (0.75 * start[i]! + 0.25 * fast[i]!)) < 1e-6))
  const [mean] = [...(await values(trainer, /^slow\.bn\.running_mean$/)).values()]
  t.ok(mean!.every((value) => value === 0), 'running statistics stay their own')
})

t.test('a program that makes no sense is refused by verb', async (t) => {
  const refused: [readonly NativeVerb[], RegExp][] = [
    [[batch(['images']), forward('backbon', 'images', 'e'), update()], /program verb 1 \(forward\): there is no network "backbon"/],
    [[forward('backbone', 'images', 'e'), update()], /program verb 0 \(forward\): no batch has put images named "images"/],
    [[batch(['images']), forward('backbone', 'images', 'e', { outputName: 'hint' }), update()], /no output "hint"/],
    [[batch(['images']), forward('backbone', 'images', 'e'), loss('head', 'f'), backward(), update()], /there is no value "f" yet/],
    [[batch(['images']), forward('backbone', 'images', 'e'), loss('head', 'e'), update()], /a forward with gradient has no backward yet/],
    [STEP.slice(0, 4), /no optimizer verb, so nothing would be learnt/],
  ]
  for (const [program, message] of refused) t.throws(() => makeTrainer(program), { code: 'ERR_CONFIG', message })
})

t.test('optimizer groups must name parameters, each once', async (t) => {
  const trainer = makeTrainer()
  const group = (names: string[]) => ({ name: 'sgd' as const, values: { momentum: 0, nesterov: 0 }, groups: [{ names, lrMultiplier: 1, weightDecay: 0 }] })
  t.throws(() => trainer.setOptimizer(group(['backbone.nothing'])), { code: 'ERR_CONFIG', message: /no parameter "backbone.nothing"/ })
  t.throws(() => trainer.setOptimizer(group(['head.weight', 'head.weight'])), { code: 'ERR_CONFIG', message: /"head.weight" is in two groups/ })
})

t.test('a process that ends in the middle of a run has the exit status it asked for', (t) => {
  const url = (file: string) => JSON.stringify(new URL(`../../lib/${file}.js`, import.meta.url).href)
  const training = `
    const { StepBenchmark } = await import(${url('training/benchmark')})
    const { readConf } = await import(${url('backbones/conf')})
    const backbone = readConf().find(({ name }) => name === 'MobileFaceNet')
    const run = new StepBenchmark({ backbone, batchSize: 2, threads: 2 })
    await run.train(1)
    void run.train(1000)
    await new Promise((resolve) => setTimeout(resolve, 50))`
  for (const [end, expected] of [['process.exit(7)', 7], ['throw new Error("of the program")', 1]] as const) {
    for (let i = 0; i < 3; i++) {
      const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `${training}\n${end}`], { encoding: 'utf8', timeout: 60_000 })
      t.same({ status, signal }, { status: expected, signal: null }, stderr)
    }
  }
  t.end()
})
