/** What can go wrong between processes, done to real ones: all of them end, and say who and why. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'

import t from 'tap'

import { freePort } from '../../lib/distributed/free-port.js'
import { facex } from '../facex.js'
import { withSmallDisk } from '../model/small-disk.js'
import { runFolder, writeTinyFaces } from '../run/tiny-run.js'
import { startRanks, type RankOptions, type Ranks } from './ranks.js'
import { BIN, LONG, trains, writeRun } from './small-runs.js'
import { withNetworks } from './networks.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()
const ENDLESS = { epochs: 100_000 }

async function startTwo(file: string, options: RankOptions = {}, port?: number): Promise<Ranks> {
  return startRanks(2, port ?? (await freePort()), () => [BIN, 'train', file], options)
}

t.test('a rank that is killed ends the others in bounded time, by name', async (t) => {
  for (const victim of LONG.skip === false ? [0, 1] : [1]) {
    const ranks = await startTwo(writeRun(root, ENDLESS).file)
    await trains(ranks)
    ranks.children[victim]!.kill('SIGKILL')
    const outcome = (await ranks.outcomes)[1 - victim]!
    t.equal(outcome.status, 1)
    t.match(outcome.stderr, victim === 1 ? /rank 0 ends: rank 1 has not been heard of for 4 s/ : /rank 1 ends: rank 0 at 127\.0\.0\.1 has not answered for 4 s/)
  }
})

t.test('a rank that hangs ends the others too', LONG, async (t) => {
  for (const victim of [0, 1]) {
    const ranks = await startTwo(writeRun(root, ENDLESS).file)
    await trains(ranks)
    ranks.children[victim]!.kill('SIGSTOP')
    ranks.children[1 - victim]!.once('exit', () => ranks.children[victim]!.kill('SIGKILL'))
    const outcome = (await ranks.outcomes)[1 - victim]!
    t.equal(outcome.status, 1)
    t.match(outcome.stderr, victim === 1 ? /rank 0 ends: rank 1 has not been heard of for 4 s: killed, hung/ : /rank 1 ends: rank 0 at 127\.0\.0\.1 has not answered for 4 s: it has died, hangs/)
  }
})

t.test('a network that is cut ends both sides, each naming the other', LONG, async (t) => {
  const reason = await withNetworks(async ({ within, address, device, cut }) => {
    const options = { within, env: () => ({ MASTER_ADDR: address, GLOO_SOCKET_IFNAME: device }) }
    const ranks = await startTwo(writeRun(root, ENDLESS).file, options, 29_500)
    await trains(ranks)
    cut()
    const [first, second] = await ranks.outcomes
    t.match([first!.status, second!.status], [1, 1])
    t.match(first!.stderr, /rank 0 ends: rank 1 has not been heard of for 4 s: .*cut off from the network/)
    t.match(second!.stderr, /rank 1 ends: rank 0 at .* has not answered for 4 s: .*the network is cut/)
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})

t.test('ranks with different configurations end before the first step, and say where they differ', async (t) => {
  const [one, other] = [writeRun(root), writeRun(root, { optimizer: { name: 'sgd', lr: 0.5 } })]
  const outcomes = await startRanks(2, await freePort(), (rank) => [BIN, 'train', rank === 0 ? one.file : other.file]).outcomes
  for (const { status, stderr } of outcomes) {
    t.equal(status, 1)
    t.match(stderr, /rank 1: configuration optimizer\.lr: 0\.02 against 0\.5/)
  }
})

t.test('ranks with different data end before the first step', LONG, async (t) => {
  const lines = readFileSync(path.join(root, 'train.txt'), 'utf8').trim().split('\n')
  const { file, folder } = writeRun(root, { data: { train: [{ kind: 'list', root, list: 'train.txt' }] } })
  // The same configuration on two machines, whose lists differ in one label.
  const machines = [lines, [lines[0]!.replace(/ 0$/, ' 1'), ...lines.slice(1)]].map((own, rank) => {
    const machine = `${folder}-${rank}`
    mkdirSync(machine)
    writeFileSync(path.join(machine, 'train.txt'), own.join('\n'))
    return machine
  })
  const outcomes = await startTwo(file, { cwd: (rank) => machines[rank]! }).then((ranks) => ranks.outcomes)
  for (const { status, stderr } of outcomes) {
    t.equal(status, 1)
    t.match(stderr, /rank 1: training data: 48 images of 6 identities, digest \w+ against 48 images of 6 identities, digest \w+/)
  }
})

t.test('ranks that start from different weights end before the first step', LONG, async (t) => {
  const [one, other] = [writeRun(root, { epochs: 1 }), writeRun(root, { epochs: 1, seed: 6 })]
  for (const { file } of [one, other]) t.equal(facex(['train', file]).status, 0)
  // The same configuration on two machines, whose weights are not.
  const { file, folder } = writeRun(root, { init: { weights: 'weights.safetensors' } })
  const machines = [one, other].map((trained, rank) => {
    const machine = `${folder}-${rank}`
    mkdirSync(machine)
    copyFileSync(path.join(trained.folder, 'checkpoints', 'step-000000008.safetensors'), path.join(machine, 'weights.safetensors'))
    return machine
  })
  const outcomes = await startTwo(file, { cwd: (rank) => machines[rank]! }).then((ranks) => ranks.outcomes)
  for (const { status, stderr } of outcomes) {
    t.equal(status, 1)
    t.match(stderr, /rank 1: weights of the network "backbone"/)
  }
})

t.test('a mistake in the configuration is said once, by the launcher', async (t) => {
  const { status, stderr } = facex(['launch', '--nproc', '2', writeRun(root).file, '--set', 'bach_size=4'])
  t.equal(status, 2)
  t.match(stderr, /bach_size: unknown key/)
  t.notMatch(stderr, /rank/)
})

t.test('what all ranks find wrong is said by rank 0, and by nobody else than whoever found it first', LONG, async (t) => {
  const { file } = writeRun(root, { data: { train: [{ kind: 'list', root, list: path.join(root, 'missing.txt') }] } })
  const outcomes = await startRanks(3, await freePort(), () => [BIN, 'train', file]).outcomes
  t.match(outcomes[0]!.stderr, /missing\.txt/)
  for (const { status } of outcomes) t.equal(status, 1)
  const others = outcomes.slice(1).filter(({ stderr }) => /missing\.txt/.test(stderr))
  t.ok(others.length <= 1)
  t.ok(outcomes.slice(1).some(({ stderr }) => /rank [12] ends: rank [012] has found the same/.test(stderr)))
})

t.test('what one rank finds wrong is said by all', LONG, async (t) => {
  const [good, bad] = [writeRun(root), writeRun(root, { data: { train: [{ kind: 'list', root, list: path.join(root, 'missing.txt') }] } })]
  const outcomes = await startRanks(2, await freePort(), (rank) => [BIN, 'train', rank === 0 ? good.file : bad.file]).outcomes
  t.equal(outcomes[0]!.status, 1)
  t.match(outcomes[0]!.stderr, /rank 0 ends: rank 1 has failed: .*missing\.txt/)
  t.match(outcomes[1]!.stderr, /missing\.txt/)
})

t.test('missing ranks, wrong numbers, one rank twice and taken ports are named', LONG, async (t) => {
  const { file } = writeRun(root, { distributed: { join_seconds: 4, silence_seconds: 4 } })
  const start = async (size: number, env: Required<RankOptions>['env'], port?: number) => startRanks(size, port ?? (await freePort()), () => [BIN, 'train', file], { env }).outcomes
  const alone = await start(1, () => ({ WORLD_SIZE: '3' }))
  t.match(alone[0]!.stderr, /ranks 1, 2 of 3 did not come within 4 s/)
  const other = await start(2, (rank) => (rank === 1 ? { WORLD_SIZE: '3' } : {}))
  for (const { status, stderr } of other) {
    t.equal(status, 1)
    t.match(stderr, /rank [01] ends: WORLD_SIZE of rank [01] is [23], but [23] for a rank that came earlier/)
  }
  const twins = await start(3, (rank) => (rank === 2 ? { RANK: '1' } : {}))
  for (const { status, stderr } of twins) {
    t.equal(status, 1)
    t.match(stderr, /two processes say that they are rank 1/)
  }
  const taken = createServer().listen(0)
  await new Promise((resolve) => taken.once('listening', resolve))
  const blocked = await start(1, () => ({ WORLD_SIZE: '2' }), (taken.address() as AddressInfo).port)
  taken.close()
  t.match(blocked[0]!.stderr, /port \d+ is in use by another program/)
})

t.test('a batch that the processes cannot share equally is refused with the nearest that they can', async (t) => {
  const { file } = writeRun(root, { batch_size: 7 })
  const { status, stderr } = facex(['launch', '--nproc', '2', file])
  t.equal(status, 2)
  t.match(stderr, /batch_size: .* expected a multiple of their number, 2, received 7; the nearest are 6 and 8/)
})

t.test('Ctrl-C in the terminal of facex launch, which reaches ranks twice, ends all of them with a checkpoint, and the run goes on from it', LONG, async (t) => {
  const { file, folder } = writeRun(root, ENDLESS)
  // A group of its own, whose processes all get the signal, as those of a terminal do.
  const launcher = spawn(process.execPath, [BIN, 'launch', '--nproc', '2', file], { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NODE_OPTIONS: undefined } })
  let said = ''
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await trains({ children: [launcher] })
  process.kill(-launcher.pid!, 'SIGINT')
  t.equal(await new Promise((resolve) => launcher.once('close', resolve)), 130)
  t.notMatch(said, /has failed|ends:/)
  const { status, stderr } = facex(['launch', '--nproc', '2', file, '--resume', '--set', 'epochs=1'], { timeoutMs: 120_000 })
  t.equal(status, 0, stderr)
  t.ok(existsSync(path.join(folder, 'metrics.jsonl')))
})

t.test('a disk that fills up on rank 0 while it writes in the background ends all ranks with the reason', LONG, async (t) => {
  const reason = await withSmallDisk(async (disk) => {
    const { file, folder } = writeRun(root, { ...ENDLESS, out_dir: path.join(disk, 'run'), checkpoint: { every_steps: 4 }, log: { dir: runFolder(), every: 1, tensorboard: false } })
    const ranks = await startTwo(file)
    const first = path.join(folder, 'checkpoints', 'step-000000004.safetensors')
    while (!existsSync(first)) await new Promise((resolve) => setTimeout(resolve, 20))
    fill(path.join(disk, 'filler'))
    const [lead, other] = await ranks.outcomes
    t.match([lead!.status, other!.status], [1, 1])
    t.match(lead!.stderr, /the disk is full/)
    t.match(other!.stderr, /rank 1 ends: rank 0 has failed: .*the disk is full/)
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})

/** Fills a disk to its last byte with one file. */
function fill(file: string): void {
  const handle = openSync(file, 'w')
  for (let size = 2 ** 16; size > 0; ) {
    try {
      if (writeSync(handle, Buffer.alloc(size)) < size) size >>= 1
    } catch {
      size >>= 1
    }
  }
  closeSync(handle)
}

t.test('ranks whose launcher is killed do not train on', LONG, async (t) => {
  const { file } = writeRun(root, ENDLESS)
  const launcher = spawn(process.execPath, [BIN, 'launch', '--nproc', '2', file], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NODE_OPTIONS: undefined } })
  launcher.stderr.setEncoding('utf8')
  await trains({ children: [launcher] })
  const running = () => spawnSync('pgrep', ['-f', `train ${file}`], { encoding: 'utf8' }).stdout.trim()
  t.ok(running().split('\n').length >= 2)
  launcher.kill('SIGKILL')
  const end = Date.now() + 30_000
  while (running() !== '' && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200))
  t.equal(running(), '')
})
