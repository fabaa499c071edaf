/** Whole runs of several processes, as the command line starts them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { facex } from '../facex.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'
import { withNetworks } from './networks.js'
import { startRanks } from './ranks.js'
import { BIN, losses, LONG, weights, writeRun } from './small-runs.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()

function launch(processes: number, argv: readonly string[], env: Record<string, string> = {}): string {
  const outcome = facex(['launch', '--nproc', String(processes), ...argv], { timeoutMs: 300_000, env })
  t.equal(outcome.status, 0, `${processes} processes end well: ${outcome.status === 0 ? '' : outcome.stderr}`)
  return outcome.stderr
}

t.test('two processes see what one sees, and write what it would have written, once', async (t) => {
  const [straight, shared] = [writeRun(root, { epochs: 1 }), writeRun(root, { epochs: 1 })]
  t.equal(facex(['train', straight.file]).status, 0)
  launch(2, [shared.file])
  const [expected, found] = [losses(straight.folder), losses(shared.folder)]
  t.equal(found.length, expected.length)
  found.forEach((loss, step) => t.ok(Math.abs(loss - expected[step]!) < 1e-3 * Math.abs(expected[step]!), `step ${step + 1}: ${loss} against ${expected[step]}`))
  t.strictSame([...(await weights(shared.folder)).keys()], [...(await weights(straight.folder)).keys()])

  const again = facex(['launch', '--nproc', '2', '--max_restarts', '1', shared.file], { timeoutMs: 300_000 })
  t.match(again, { status: 2, stderr: /already holds a run/ }, 'wrong usage that one process sees is that of all')
  t.notMatch(again.stderr, /starting all processes again|goes on after/)
})

t.test('a run that goes on with another number of processes follows the straight run, whole checkpoints included', LONG, async (t) => {
  const straight = writeRun(root)
  t.equal(facex(['train', straight.file]).status, 0)
  const moved = writeRun(root)
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

t.test('a rank that is killed, --max_restarts and the last checkpoint lead to the bits of the straight run', LONG, async (t) => {
  const straight = writeRun(root, { epochs: 6 })
  launch(2, [straight.file])
  const extensions = [...(tinyConfig(root).extensions ?? []), new URL('crash-once.js', import.meta.url).pathname]
  const { file, folder } = writeRun(root, { epochs: 6, extensions })
  const said = launch(2, ['--max_restarts', '1', file], { FACEX_TEST_CRASH: `${folder}.crashed` })
  t.match(said, /rank 1 was ended by SIGKILL/)
  t.match(said, /starting all processes again from the last checkpoint \(restart 1 of 1\)/)
  t.match(said, /goes on after step \d+/)
  t.strictSame(await weights(folder), await weights(straight.folder))
})

t.test('two machines start again together when a process of one is killed', LONG, async (t) => {
  const reason = await withNetworks(async ({ within, address, device }) => {
    const extensions = [...(tinyConfig(root).extensions ?? []), new URL('crash-once.js', import.meta.url).pathname]
    const { file, folder } = writeRun(root, { epochs: 6, extensions })
    const argv = (node: number) => [BIN, 'launch', '--nproc', '1', '--nnodes', '2', '--node_rank', String(node), '--master_addr', address, '--master_port', '29500', '--max_restarts', '1', file]
    const outcomes = await startRanks(2, 29_500, argv, { within, env: () => ({ FACEX_TEST_CRASH: `${folder}.crashed`, GLOO_SOCKET_IFNAME: device }) }).outcomes
    for (const { status, stderr } of outcomes) {
      t.equal(status, 0, stderr)
      t.match(stderr, /restart 1 of 1/)
    }
    t.equal(losses(folder).length, 48)
  })
  if (reason !== undefined) t.pass(reason, { skip: reason })
})

t.test('extraction and evaluation share their images and give the same file, and figures to rounding', LONG, async (t) => {
  const trained = writeRun(root, { epochs: 1 })
  t.equal(facex(['train', trained.file]).status, 0)
  const checkpoint = path.join(trained.folder, 'checkpoints', 'step-000000008.safetensors')
  const options = ['--weights', checkpoint, '--root', root, '--batch_size', '4', '--threads', '1']
  const files = [1, 3].map((processes) => {
    const out = `${trained.folder}-${processes}.npy`
    launch(processes, ['extract', ...options, '--list', path.join(root, 'train.txt'), '--out', out])
    return readFileSync(out)
  })
  t.ok(files[0]!.equals(files[1]!))
  const figures = [1, 3].map((processes) => {
    const { status, stdout, stderr } = facex(['launch', '--nproc', String(processes), 'evaluate', ...options, '--pairs', path.join(root, 'pairs.txt'), '--json'])
    t.equal(status, 0, stderr)
    // Other batches round other bits.
    return JSON.parse(stdout, (key, value: unknown) => (key === 'seconds' ? 0 : typeof value === 'number' ? Number(value.toFixed(6)) : value)) as unknown
  })
  t.strictSame(figures[1], figures[0])
})
