/** Whole runs of several processes, as the command line starts them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'

import t from 'tap'

import type { RunConfigInput } from '../../lib/config/run.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'
import { packageRoot } from '../../lib/setup/places.js'
import { facex } from '../facex.js'
import { runFolder, tinyConfig, writeTinyFaces } from '../run/tiny-run.js'
import { freePort, startRanks, type Ranks } from './ranks.js'

t.setTimeout(600_000)

/** What starts many processes one after the other. */
const LONG = { skip: process.env['FACEX_ALL'] !== '1' && 'takes a minute: FACEX_ALL=1' }
const BIN = path.join(packageRoot(), 'bin', 'facex.mjs')
const root = await writeTinyFaces()

/** Batches that 1, 2 and 3 processes can share; 8 steps an epoch. */
function write(changes: Partial<RunConfigInput> = {}): { file: string; folder: string } {
  const folder = runFolder()
  const config = tinyConfig(root, {
    out_dir: folder,
    batch_size: 6,
    epochs: 3,
    schedule: { name: 'step', milestones: [] },
    sync_batch_norm: true,
    threads: 1,
    log: { every: 1, tensorboard: false },
    distributed: { silence_seconds: 4, join_seconds: 60 },
    ...changes,
  })
  const file = `${folder}.yaml`
  writeFileSync(file, JSON.stringify(config))
  return { file, folder }
}

function losses(folder: string): number[] {
  const lines = readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as { event: string; loss: number }).filter(({ event }) => event === 'step').map(({ loss }) => loss)
}

async function weights(folder: string): Promise<Map<string, Float32Array>> {
  const { checkpoint } = (await new CheckpointStore(path.join(folder, 'checkpoints'), { last: 1, best: false }).newest())!
  return new Map(checkpoint.tensors.filter(({ dtype }) => dtype === 'float32').map(({ name, data }) => [name, new Float32Array(data)]))
}

function launch(processes: number, argv: readonly string[]): void {
  const outcome = facex(['launch', '--nproc', String(processes), ...argv], { timeoutMs: 300_000 })
  t.equal(outcome.status, 0, `${processes} processes end well: ${outcome.status === 0 ? '' : outcome.stderr}`)
}

t.test('a run that goes on with another number of processes follows the straight run, whole checkpoints included', LONG, async (t) => {
  const straight = write()
  t.equal(facex(['train', straight.file]).status, 0)
  const moved = write()
  launch(2, [moved.file, '--set', 'epochs=1'])
  launch(3, [moved.file, '--set', 'epochs=2', '--resume'])
  t.equal(facex(['train', moved.file, '--resume']).status, 0)
  const [expected, found] = [losses(straight.folder), losses(moved.folder)]
  t.equal(found.length, expected.length)
  found.forEach((loss, step) => t.ok(Math.abs(loss - expected[step]!) < 1e-3 * Math.abs(expected[step]!), `step ${step + 1}: ${loss} against ${expected[step]}`))
  const [a, b] = [await weights(straight.folder), await weights(moved.folder)]
  t.strictSame([...b.keys()], [...a.keys()])
  for (const [name, values] of a) {
    const largest = Math.max(1e-3, ...values.map(Math.abs))
    t.ok(b.get(name)!.every((value, i) => Math.abs(value - values[i]!) < 1e-2 * largest), name)
  }
})

t.test('extraction shares its images and gives the same file', LONG, async (t) => {
  const trained = write({ epochs: 1 })
  t.equal(facex(['train', trained.file]).status, 0)
  const checkpoint = path.join(trained.folder, 'checkpoints', 'step-000000008.safetensors')
  const files = [1, 3].map((processes) => {
    const out = `${trained.folder}-${processes}.npy`
    launch(processes, ['extract', '--weights', checkpoint, '--root', root, '--list', path.join(root, 'train.txt'), '--out', out, '--batch_size', '4', '--threads', '1'])
    return readFileSync(out)
  })
  t.ok(files[0]!.equals(files[1]!))
})

/** Resolves when a rank has said that an epoch is done. */
function trains({ children }: Ranks): Promise<void> {
  return new Promise((resolve) => children[0]!.stderr!.on('data', (text: string) => (/epoch \d+\/\d+ done/.test(text) ? resolve() : undefined)))
}

t.test('a rank that is killed ends the others in bounded time, by name', async (t) => {
  for (const victim of LONG.skip === false ? [0, 1] : [1]) {
    const { file } = write({ epochs: 100_000 })
    const ranks = startRanks(2, await freePort(), () => [BIN, 'train', file])
    await trains(ranks)
    ranks.children[victim]!.kill('SIGKILL')
    const outcome = (await ranks.outcomes)[1 - victim]!
    t.equal(outcome.status, 1)
    t.match(outcome.stderr, victim === 1 ? /rank 0 ends: rank 1 has not been heard of for 4 s/ : /rank 1 ends: rank 0 at 127\.0\.0\.1 has not answered for 4 s/)
  }
})

t.test('a rank that hangs ends the others too', LONG, async (t) => {
  const { file } = write({ epochs: 100_000 })
  const ranks = startRanks(2, await freePort(), () => [BIN, 'train', file])
  await trains(ranks)
  ranks.children[1]!.kill('SIGSTOP')
  ranks.children[0]!.once('exit', () => ranks.children[1]!.kill('SIGKILL'))
  t.match((await ranks.outcomes)[0]!.stderr, /rank 0 ends: rank 1 has not been heard of for 4 s: killed, hung/)
})

t.test('ranks with different configurations end before the first step, and say where they differ', async (t) => {
  const [one, other] = [write(), write({ optimizer: { name: 'sgd', lr: 0.5 } })]
  const outcomes = await startRanks(2, await freePort(), (rank) => [BIN, 'train', rank === 0 ? one.file : other.file]).outcomes
  for (const { status, stderr } of outcomes) {
    t.equal(status, 1)
    t.match(stderr, /rank 1: configuration optimizer\.lr: 0\.02 against 0\.5/)
  }
})

t.test('what one rank finds wrong is said by all', LONG, async (t) => {
  const [good, bad] = [write(), write({ data: { train: [{ kind: 'list', root, list: path.join(root, 'missing.txt') }] } })]
  const outcomes = await startRanks(2, await freePort(), (rank) => [BIN, 'train', rank === 0 ? good.file : bad.file]).outcomes
  t.match(outcomes.map(({ status }) => status), [1, 1])
  t.match(outcomes[0]!.stderr, /rank 0 ends: rank 1 has failed: .*missing\.txt/)
})

t.test('missing ranks, wrong numbers and taken ports are named', LONG, async (t) => {
  const { file } = write({ distributed: { join_seconds: 4, silence_seconds: 4 } })
  const alone = await startRanks(1, await freePort(), () => [BIN, 'train', file], () => ({ WORLD_SIZE: '3' })).outcomes
  t.match(alone[0]!.stderr, /ranks 1, 2 of 3 did not come within 4 s/)
  const port = await freePort()
  const twins = await startRanks(2, port, () => [BIN, 'train', file], (rank) => (rank === 1 ? { WORLD_SIZE: '3' } : {})).outcomes
  for (const { stderr } of twins) t.match(stderr, /rank [01] ends: WORLD_SIZE of rank [01] is [23], but [23] for a rank that came earlier/)
  const taken = createServer().listen(0)
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port: busy } = taken.address() as AddressInfo
  const blocked = await startRanks(1, busy, () => [BIN, 'train', file], () => ({ WORLD_SIZE: '2' })).outcomes
  taken.close()
  t.match(blocked[0]!.stderr, /port \d+ is in use by another program/)
})

t.test('a batch that the processes cannot share equally is refused with the nearest that they can', async (t) => {
  const { file } = write({ batch_size: 7 })
  const { status, stderr } = facex(['launch', '--nproc', '2', file])
  t.equal(status, 2)
  t.match(stderr, /batch_size: .* expected a multiple of their number, 2, received 7; the nearest are 6 and 8/)
})

t.test('--max_restarts goes on from the last checkpoint', LONG, async (t) => {
  const { file, folder } = write({ epochs: 12, extensions: [...(tinyConfig(root).extensions ?? []), new URL('crash-once.js', import.meta.url).pathname] })
  const { status, stderr } = facex(['launch', '--nproc', '2', '--max_restarts', '1', file], { timeoutMs: 300_000, env: { FACEX_TEST_CRASH: `${folder}.crashed` } })
  t.equal(status, 0, stderr)
  t.match(stderr, /rank 1 was ended by SIGKILL/)
  t.match(stderr, /starting all processes again from the last checkpoint \(restart 1 of 1\)/)
  t.match(stderr, /goes on after step \d+/)
})
