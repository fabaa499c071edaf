import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { resolveRun, type RunRequest } from '../../lib/config/resolve.js'

const base = `data:
  train:
    - { kind: list, root: images, list: train.txt }
backbone: { type: MobileFaceNet }
head: { type: ArcFace, margin_arc: 0.4, scale: 48 }
epochs: 2
optimizer: { lr: 0.2, momentum: 0.8 }
checkpoint: { every_minutes: 5, keep_last: 7 }
`

const problem = (request: RunRequest): string => {
  try {
    resolveRun(request)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

t.test('a file takes what it does not say from the file that it extends', async (t) => {
  const folder = t.testdir({
    'base.yaml': base,
    below: { 'run.yaml': 'extends: ../base.yaml\nepochs: 9\noptimizer: { lr: 0.1 }\nhead: { scale: 32 }\ncheckpoint: { every_minutes: null }\n' },
  })
  const { config } = resolveRun({ file: path.join(folder, 'below', 'run.yaml') })
  t.match(config, { epochs: 9, optimizer: { lr: 0.1, momentum: 0.8 }, head: { type: 'ArcFace', margin_arc: 0.4, scale: 32 } })
  t.match(config.checkpoint, { keep_last: 7, every_minutes: undefined }, 'null takes a value away')
  const other = t.testdir({ 'base.yaml': base.replace(/^checkpoint:.*\n/m, ''), 'run.yaml': 'extends: base.yaml\ncheckpoint: { every_minutes: null, keep_last: 3 }\n' })
  t.match(resolveRun({ file: path.join(other, 'run.yaml') }).config.checkpoint, { keep_last: 3, every_minutes: undefined }, 'also where there was none')
  t.notOk('extends' in config, 'the resolved configuration is complete without its base')
})

t.test('of several files the later ones win, and lists are replaced as a whole', async (t) => {
  const folder = t.testdir({
    'base.yaml': `${base}freeze: [backbone.conv1.*, head.*]\n`,
    'small.yaml': 'epochs: 1\nbatch_size: 8\nfreeze: [head.*]\n',
    'run.yaml': 'extends: [base.yaml, small.yaml]\nbatch_size: 4\n',
  })
  t.match(resolveRun({ file: path.join(folder, 'run.yaml') }).config, { epochs: 1, batch_size: 4, freeze: ['head.*'] })
})

t.test('options of one head, optimizer or schedule are not left behind for another', async (t) => {
  const folder = t.testdir({ 'base.yaml': base, 'run.yaml': 'extends: base.yaml\nhead: { type: AM-Softmax }\noptimizer: { name: adamw }\n' })
  const { head, optimizer } = resolveRun({ file: path.join(folder, 'run.yaml') }).config
  t.strictSame(head, { type: 'AM-Softmax' })
  t.match(optimizer, { name: 'adamw', lr: 5e-4 })
})

t.test('a problem is reported in the file that holds it', async (t) => {
  const folder = t.testdir({ 'base.yaml': base.replace('epochs: 2', 'epochs: none'), 'run.yaml': 'extends: base.yaml\nseeed: 3\n' })
  const file = path.join(folder, 'run.yaml')
  const message = problem({ file })
  t.match(message, `${path.join(folder, 'base.yaml')}:6:1 epochs: expected a number, received "none"`)
  t.match(message, `${file}:2:1 seeed: unknown key, did you mean "seed"?`)
})

t.test('a file that extends itself, a missing file and a wrong value are refused', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'extends: b.yaml\n', 'b.yaml': 'extends: [a.yaml]\n', 'c.yaml': 'extends: none.yaml\n', 'd.yaml': 'extends: 3\n' })
  const of = (name: string) => problem({ file: path.join(folder, name) })
  t.match(of('a.yaml'), `${path.join(folder, 'b.yaml')}:1:11 extends[0]: a file may not extend itself: a.yaml extends b.yaml extends a.yaml`)
  t.match(of('c.yaml'), /c\.yaml:1:1 extends: there is no file .*none\.yaml/)
  t.match(of('d.yaml'), /d\.yaml:1:1 extends: expected a file name/)
})

t.test('a base may have an absolute name', async (t) => {
  const folder = t.testdir({ 'base.yaml': base, below: {} })
  const run = path.join(folder, 'below', 'run.yaml')
  writeFileSync(run, `extends: ${path.join(folder, 'base.yaml')}\n`)
  t.equal(resolveRun({ file: run }).config.epochs, 2)
})

t.test('extensions are relative to the file that names them', async (t) => {
  const folder = t.testdir({ nets: { 'base.yaml': `${base}extensions: [./net.mjs]\n` }, 'run.yaml': 'extends: nets/base.yaml\n' })
  t.strictSame(resolveRun({ file: path.join(folder, 'run.yaml') }).config.extensions, [path.join(folder, 'nets', 'net.mjs')])
})

t.test('variables of the environment stand for their values, with another where they are not set', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': base.replace('root: images', 'root: "${FACEX_TEST_ROOT:-data}/images"') }), 'run.yaml')
  const root = () => (resolveRun({ file }).config.data.train[0] as { root: string }).root
  t.equal(root(), path.resolve('data/images'))
  process.env['FACEX_TEST_ROOT'] = '/somewhere'
  t.teardown(() => delete process.env['FACEX_TEST_ROOT'])
  t.equal(root(), '/somewhere/images')
  const missing = path.join(t.testdir({ 'run.yaml': base.replace('root: images', 'root: "${FACEX_TEST_NONE}/images"') }), 'run.yaml')
  t.match(problem({ file: missing }), `${missing}:3:21 data.train[0].root: the environment variable FACEX_TEST_NONE is not set`)
})

t.test('a value that is one variable is a number where it reads as one, part of a text stays text', async (t) => {
  process.env['FACEX_TEST_EPOCHS'] = '7'
  t.teardown(() => delete process.env['FACEX_TEST_EPOCHS'])
  const file = path.join(t.testdir({ 'run.yaml': `${base.replace('epochs: 2', 'epochs: ${FACEX_TEST_EPOCHS}')}batch_size: "\${FACEX_TEST_BATCH:-32}"\n` }), 'run.yaml')
  t.match(resolveRun({ file }).config, { epochs: 7, batch_size: 32 })
  const text = path.join(t.testdir({ 'run.yaml': base.replace('epochs: 2', 'epochs: "1${FACEX_TEST_EPOCHS}"') }), 'run.yaml')
  t.match(problem({ file: text }), /epochs: expected a number, received "17" \(string\)/)
})
