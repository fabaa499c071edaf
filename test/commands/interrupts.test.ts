/** Ctrl-C in commands that work through many images. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'

import sharp from 'sharp'
import t, { type Test } from 'tap'

import { commands } from '../../lib/commands/index.js'
import { npyHeader } from '../../lib/evaluation/npy.js'
import { train } from '../../lib/report/train.js'
import { packageRoot } from '../../lib/setup/places.js'
import { tinyConfig, writeTinyFaces } from '../run/tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const below = (name: string) => path.join(root, name)
const { checkpoint } = await train(tinyConfig(root, { epochs: 1 }))
const weights = ['--weights', checkpoint!, '--threads', '1', '--batch_size', '8']

// More work than a test waits for: the same few images under many names.
mkdirSync(below('faces'))
await sharp({ create: { width: 112, height: 112, channels: 3, background: '#a07050' } }).jpeg().toFile(below('face.jpg'))
const names = Array.from({ length: 5000 }, (_, i) => `faces/${i}.jpg`)
names.forEach((name) => symlinkSync('../face.jpg', below(name)))
const lists = {
  'faces.txt': names.map((name, i) => `${name} ${i % 2}\n`),
  'many.txt': Array.from({ length: 20 }, () => names.map((name) => `${name} 0\n`).join('')),
  'many-pairs.txt': names.map((name, i) => `${name} ${names[(i + 1) % names.length]!} ${i % 2}\n`),
  'marks.txt': names.map((name) => `${name} 38 52 73 51 56 72 41 92 70 92\n`),
}
for (const [name, lines] of Object.entries(lists)) writeFileSync(below(name), lines.join(''))
for (const [name, rows] of [['G.npy', 40_000], ['P.npy', 2000]] as const) {
  const data = Float32Array.from({ length: rows * 64 }, (_, i) => ((i * 7919) % 1000) - 499.5)
  writeFileSync(below(name), Buffer.concat([npyHeader(rows, 64), Buffer.from(data.buffer)]))
}

/** Runs a command in this process and presses Ctrl-C as soon as it listens. */
async function interrupted(t: Test, [name, ...argv]: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const { run } = await commands.find((command) => command.name === name)!.load()
  const text = { stdout: '', stderr: '' }
  const others = process.listenerCount('SIGINT')
  const restore = (['stdout', 'stderr'] as const).map((stream) => {
    const { write } = process[stream]
    process[stream].write = (chunk: string | Uint8Array) => (text[stream] += String(chunk)).length > 0
    return () => (process[stream].write = write)
  })
  try {
    const running = run([...argv])
    while (process.listenerCount('SIGINT') === others) await Promise.race([running, setTimeout(1)])
    process.listeners('SIGINT').at(-1)!('SIGINT')
    return { status: await running, ...text }
  } finally {
    restore.forEach((undo) => undo())
    t.equal(process.listenerCount('SIGINT'), others, 'nobody listens any more')
  }
}

const unfinished = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.part'))

/** Command line, and the files that would look like a complete result. */
const CASES: readonly (readonly [argv: readonly string[], results: readonly string[]])[] = [
  [['extract', ...weights, '--list', below('many.txt'), '--root', root, '--out', below('E.npy')], ['E.npy', 'E.txt']],
  [['evaluate', ...weights, '--pairs', below('many-pairs.txt'), '--root', root], [path.join(path.dirname(path.dirname(checkpoint!)), 'evaluations')]],
  [['identify', ...weights, '--gallery', root, below('face.jpg')], []],
  [['search', '--probes', below('P.npy'), '--gallery', below('G.npy'), '--threads', '1'], []],
  [['align', '--landmarks', below('marks.txt'), '--root', root, '--out', below('aligned')], ['aligned/failures.txt']],
  [['dataset', 'mask', below('faces.txt'), '--style', 'cloth', '--out', below('masked')], ['masked/train.txt']],
  [['dataset', 'pack', below('many.txt'), '--out', below('train.rec')], ['train.rec', 'train.idx']],
  [['dataset', 'unpack', below('many.txt'), '--out', below('unpacked')], ['unpacked/train.txt']],
]

for (const [argv, results] of CASES) {
  const name = argv.slice(0, argv[0] === 'dataset' ? 2 : 1).join(' ')
  t.test(`${name} ends with status 130 and leaves nothing that is half done or looks complete`, async (t) => {
    const { status, stdout, stderr } = await interrupted(t, argv)
    t.same({ status, stdout }, { status: 130, stdout: '' }, stderr)
    t.match(stderr, /^\nending; press Ctrl-C again to stop at once\n(warning: .*\n)?facex: stopped after \d+/)
    t.same(unfinished(), [])
    for (const result of results) t.notOk(existsSync(path.resolve(root, result)), result)
  })
}

t.test('a real Ctrl-C ends align between two photographs', async (t) => {
  const out = below('aligned-for-real')
  const child = spawn(process.execPath, [path.join(packageRoot(), 'bin', 'facex.mjs'), 'align', '--landmarks', 'marks.txt', '--root', '.', '--out', out], { cwd: root, env: { ...process.env, NODE_OPTIONS: undefined } })
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })))
  while (child.exitCode === null && !existsSync(out)) await setTimeout(10)
  child.kill('SIGINT')
  t.same(await ended, { status: 130, signal: null })
  const done = readdirSync(path.join(out, 'faces')).length
  t.ok(done > 0 && done < names.length, String(done))
  t.same(unfinished(), [])
})
