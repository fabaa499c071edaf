/** `--json` of every command that offers it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'
import t from 'tap'

import { commands } from '../../lib/commands/index.js'
import { writeEmbeddings } from '../evaluation/embeddings-file.js'
import { runFolder, tinyConfig, writeTinyFaces } from '../run/tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()
const below = (name: string) => path.join(root, name)
const run = runFolder()
const checkpoint = path.join(run, 'checkpoints', 'step-000000012.safetensors')
writeFileSync(below('run.yaml'), JSON.stringify(tinyConfig(root, { out_dir: run, epochs: 1 })))
writeFileSync(below('images.txt'), '0/0.png\n1/0.png\n')
writeFileSync(below('marks.txt'), `0/0.png ${[5, 5, 11, 5, 8, 8, 6, 12, 10, 12].join(' ')}\nnone.png ${[5, 5, 11, 5, 8, 8, 6, 12, 10, 12].join(' ')}\n`)
writeEmbeddings(below('E.npy'), { count: 2, dim: 2, data: Float32Array.of(1, 0, 0, 1) }, ['a', 'b'])
mkdirSync(below('people'))
for (const person of ['ann', 'bob']) {
  mkdirSync(below(`people/${person}`))
  await sharp({ create: { width: 112, height: 112, channels: 3, background: person === 'ann' ? '#c08060' : '#604020' } }).jpeg().toFile(below(`people/${person}/1.jpg`))
}

const weights = ['--weights', checkpoint, '--threads', '1']
const list = below('train.txt')
/** In this order; the run comes first. */
const LINES: readonly (readonly string[])[] = [
  ['train', below('run.yaml')],
  ['evaluate', ...weights, '--root', root, '--pairs', below('pairs.txt'), '--folds', '2'],
  ['extract', ...weights, '--root', root, '--list', below('images.txt'), '--out', below('X.npy')],
  ['compare', ...weights, below('0/0.png'), below('1/0.png')],
  ['identify', ...weights, '--gallery', below('people'), below('0/0.png')],
  ['search', '--probes', below('E.npy'), '--gallery', below('E.npy')],
  ['align', '--landmarks', below('marks.txt'), '--root', root, '--out', below('aligned')],
  ['dataset', 'inspect', list],
  ['dataset', 'verify', list],
  ['dataset', 'preview', list, '--out', below('sheet.png'), '--size', '16'],
  ['dataset', 'pack', list, '--out', below('packed.rec')],
  ['dataset', 'merge', list, below('packed.rec'), '--out', below('merged.rec')],
  ['dataset', 'unpack', below('packed.rec'), '--out', below('unpacked')],
  ['dataset', 'split', list, '--fraction', '0.5', '--out', below('half')],
  ['dataset', 'clean', list, '--out', below('clean.txt')],
  ['dataset', 'mask', below('people'), '--style', 'cloth', '--out', below('masked')],
  ['report', run],
  ['table', run],
  ['doctor'],
  ['config', 'show', below('run.yaml')],
  ['recipes'],
  ['backbones'],
  ['inspect', checkpoint],
  ['estimate', below('run.yaml')],
  ['cost', '--backbone', 'MobileFaceNet'],
  ['bench', '--backbone', 'MobileFaceNet', '--batch_size', '2', '--steps', '1', '--threads', '1'],
]
/** What these fail at is part of their answer. */
const FAILING = new Map([['align', 1]])
/** `setup` fetches libtorch: its tests have a server of their own. */
const ELSEWHERE = ['setup']

t.test('every command whose help offers --json is tried here', async (t) => {
  const offering: string[] = []
  for (const { name, load } of commands) if ((await load()).usage.includes('--json')) offering.push(name)
  t.same(offering.filter((name) => !ELSEWHERE.includes(name)).sort(), [...new Set(LINES.map(([name]) => name!))].sort())
  const named = [... (await commands.find(({ name }) => name === 'dataset')!.load()).usage.matchAll(/facex dataset (\w+) /g)]
  const actions = LINES.filter(([name]) => name === 'dataset').map(([, action]) => action)
  t.same(named.map(([, action]) => action).filter((action) => !actions.includes(action)), [])
})

t.test('--json prints JSON and nothing else', async (t) => {
  const lines = LINES.map((argv) => [...argv, '--json'])
  const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('json-child.js', import.meta.url)), JSON.stringify(lines)], { encoding: 'utf8', timeout: 280_000, maxBuffer: 1 << 26 })
  const answers = stdout.split(/\n\u0000(\d+)\n/)
  t.equal(answers.length, 2 * LINES.length + 1, stderr)
  t.equal(answers.at(-1), '', 'nothing behind the last answer')
  LINES.forEach((argv, i) => {
    const [text, status] = [answers[2 * i]!, Number(answers[2 * i + 1])]
    const name = argv.slice(0, argv[0] === 'dataset' || argv[0] === 'config' ? 2 : 1).join(' ')
    t.equal(status, FAILING.get(argv[0]!) ?? 0, `${name}: ${stderr}`)
    // A line an answer, where there are several; else one value, over as many lines as it likes.
    const values = argv[0] === 'search' ? text.trim().split('\n') : [text]
    for (const value of values) t.doesNotThrow(() => JSON.parse(value) as unknown, `${name}: ${text.slice(0, 300)}`)
  })
})
