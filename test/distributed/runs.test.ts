/** Whole runs of several processes, as the command line starts them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { facex } from '../facex.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'
import { losses, LONG, weights, writeRun } from './small-runs.js'

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

t.test('extraction shares its images and gives the same file', LONG, async (t) => {
  const trained = writeRun(root, { epochs: 1 })
  t.equal(facex(['train', trained.file]).status, 0)
  const checkpoint = path.join(trained.folder, 'checkpoints', 'step-000000008.safetensors')
  const files = [1, 3].map((processes) => {
    const out = `${trained.folder}-${processes}.npy`
    launch(processes, ['extract', '--weights', checkpoint, '--root', root, '--list', path.join(root, 'train.txt'), '--out', out, '--batch_size', '4', '--threads', '1'])
    return readFileSync(out)
  })
  t.ok(files[0]!.equals(files[1]!))
})
