import path from 'node:path'

import t from 'tap'

import { FacexError } from '../../lib/errors.js'
import { resolveRun, type RunRequest } from '../../lib/config/resolve.js'

const minimal = `data:
  train:
    - { kind: list, root: images, list: train.txt }
backbone: { type: MobileFaceNet }
head: { type: ArcFace }
epochs: 2
`

function problems(request: RunRequest): string {
  try {
    resolveRun(request)
  } catch (error) {
    if (error instanceof FacexError && error.code === 'ERR_CONFIG') return error.message
    throw error
  }
  return ''
}

t.test('the shortest configuration gets every default', async (t) => {
  const { config } = resolveRun({ file: path.join(t.testdir({ 'run.yaml': minimal }), 'run.yaml') })
  t.match(config, {
    batch_size: 64,
    optimizer: { name: 'sgd', lr: 0.1, momentum: 0.9, weight_decay: 1e-4 },
    schedule: { name: 'step', gamma: 0.1, milestones: [] },
    mode: { name: 'conventional' },
    precision: 'fp32',
    tf32: true,
    cuda_graphs: false,
    seed: 0,
  })
  t.same(config.data.train, [{ kind: 'list', root: path.resolve('images'), list: path.resolve('train.txt'), weight: 1 }])
})

t.test('sources of every kind mix, each with its weight, their paths made absolute', async (t) => {
  const sources = ['{ kind: record, file: faces/train.rec, weight: 0.5 }', '{ kind: folder, root: people }', '{ kind: list, root: images, list: train.txt, weight: 2 }']
  const text = minimal.replace('    - { kind: list, root: images, list: train.txt }', sources.map((source) => `    - ${source}`).join('\n'))
  const file = path.join(t.testdir({ 'run.yaml': text }), 'run.yaml')
  t.same(resolveRun({ file }).config.data.train, [
    { kind: 'record', file: path.resolve('faces/train.rec'), weight: 0.5 },
    { kind: 'folder', root: path.resolve('people'), weight: 1 },
    { kind: 'list', root: path.resolve('images'), list: path.resolve('train.txt'), weight: 2 },
  ])
})

t.test('all problems are reported together, each with file, line and column', async (t) => {
  const file = path.join(
    t.testdir({
      'run.yaml': `data:
  train:
    - kind: list
      root: images
      lst: train.txt
  colour: rgb
backbone: { type: MobileFaceNet }
head: { typ: ArcFace, margin: 0.5 }
epochs: 0
optimizer: { name: sdg }
schedule: { name: cosine, milestones: [3] }
precision: fp17
`,
    }),
    'run.yaml',
  )
  const message = problems({ file })
  const expected: [number, string][] = [
    [3, 'data.train[0].list: missing: expected text'],
    [5, 'data.train[0].lst: unknown key, did you mean "list"?'],
    [6, 'data.colour: unknown key, did you mean "color"?'],
    [8, 'head.type: missing: expected text'],
    [9, 'epochs: expected a number at least 1, received 0 (number)'],
    [10, 'optimizer.name: unknown name "sdg", did you mean "sgd"? Known: sgd, adamw'],
    [11, 'schedule.milestones: unknown key. Known here: name, min_lr, '],
    [12, 'precision: expected "fp32" or "bf16" or "fp16", received "fp17" (string)'],
  ]
  for (const [line, text] of expected) {
    const found = message.split('\n').find((row) => row.startsWith(`  ${file}:${line}:`))
    t.ok(found?.includes(text), `line ${line}: ${text}`)
  }
  t.equal(message.split('\n').length, expected.length + 1, 'and nothing else')
})

t.test('--set wins over the file and is named in problems', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': minimal }), 'run.yaml')
  const set = ['optimizer.lr=0.02', 'schedule={name: cosine, min_lr: 1e-5}', 'data.train[0].root=other', 'head.margin=0.3']
  const { config, source } = resolveRun({ file, set })
  t.match(config, { optimizer: { lr: 0.02 }, schedule: { name: 'cosine', min_lr: 1e-5 }, head: { type: 'ArcFace', margin: 0.3 } })
  t.equal(config.data.train[0]!.kind, 'list', 'neighbours stay')
  t.equal(source.at('head.margin'), '--set head.margin=0.3')
  t.match(source.at('head.type'), /run\.yaml:5:/)
  t.match(problems({ file, set: ['optimizer.lr=-1'] }), '--set optimizer.lr=-1 optimizer.lr: expected a number above 0, received -1 (number)')
})

t.test('a mapping that leaves its name out is still checked key by key', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': `${minimal}optimizer: { momentun: 0.9, beta1: 0.5 }\n` }), 'run.yaml')
  t.match(problems({ file }), 'optimizer.momentun: unknown key, did you mean "momentum"? Known here: name, lr,')
  t.notMatch(problems({ file }), /Known here: .*beta1/, 'and the keys of other optimizers are not offered')
})

t.test('a --set without a value, or with broken YAML, is a usage error', async (t) => {
  for (const setting of ['optimizer.lr', '=3', 'head={a']) {
    t.throws(() => resolveRun({ config: {} as never, set: [setting] }), { code: 'ERR_USAGE' }, setting)
  }
})

t.test("FaceX-Zoo's flags alone make a run", async (t) => {
  const { config } = resolveRun({
    flags: {
      data_root: 'images',
      train_file: 'train.txt',
      backbone_type: 'MobileFaceNet',
      head_type: 'MV-Softmax',
      lr: '0.05',
      epoches: '18',
      step: '10,13,16',
      print_freq: '20',
      save_freq: '3000',
      batch_size: '128',
      momentum: '0.8',
      out_dir: 'out',
      log_dir: 'log',
      tensorboardx_logdir: 'tb',
      pretrain_model: 'start.pt',
      alpha: '0.999',
    },
  })
  t.match(config, {
    data: { train: [{ kind: 'list', root: path.resolve('images'), list: path.resolve('train.txt') }] },
    backbone: { type: 'MobileFaceNet' },
    head: { type: 'MV-Softmax' },
    optimizer: { name: 'sgd', lr: 0.05, momentum: 0.8 },
    epochs: 18,
    schedule: { name: 'step', milestones: [10, 13, 16] },
    log: { every: 20, dir: path.resolve('log'), tensorboard_dir: path.resolve('tb') },
    checkpoint: { every_steps: 3000 },
    batch_size: 128,
    out_dir: path.resolve('out'),
    init: { weights: path.resolve('start.pt') },
    mode: { name: 'conventional', alpha: 0.999 },
  })
})

t.test('--train_file replaces the sources of a file, --data_root alone moves them', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': minimal.replace('kind: list, root: images, list: train.txt', 'kind: folder, root: images') }), 'run.yaml')
  t.match(resolveRun({ file, flags: { data_root: 'there' } }).config.data.train, [{ kind: 'folder', root: path.resolve('there') }])
  t.match(resolveRun({ file, flags: { train_file: 'l.txt' } }).config.data.train, [{ kind: 'list', root: path.resolve('images'), list: path.resolve('l.txt') }])
  t.throws(() => resolveRun({ file, flags: { lr: 'fast' } }), { code: 'ERR_USAGE', message: '--lr: expected a number, received "fast"' })
})

t.test("an entry of a conf file gives options that the run's own keys overrule", async (t) => {
  const dir = t.testdir({ 'heads.yaml': 'ArcFace:\n  feat_dim: 512\n  margin: 0.35\nAM-Softmax: {}\n', 'run.yaml': minimal })
  const file = path.join(dir, 'run.yaml')
  const conf = path.join(dir, 'heads.yaml')
  const { config, source } = resolveRun({ file, set: ['head.margin=0.5'], flags: { head_conf_file: conf } })
  t.same(config.head, { type: 'ArcFace', feat_dim: 512, margin: 0.5 })
  t.equal(source.at('head.feat_dim'), `${conf}:2:3`)
  t.match(problems({ file, flags: { head_conf_file: conf, head_type: 'ArcFase' } }), /head\.type: unknown head "ArcFase", did you mean "ArcFace"\?/)
})

t.test('values that contradict each other are problems too', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': minimal }), 'run.yaml')
  t.match(problems({ file, set: ['schedule.milestones=[3, 2]'] }), 'schedule.milestones[1]: expected ascending epochs')
  t.match(problems({ file, set: ['schedule.warmup_epochs=5'] }), 'schedule.warmup_epochs: expected at most the 2 epochs')
  t.match(problems({ file, set: ['evaluation.best=lfw'] }), 'evaluation.best: unknown test set "lfw"')
  t.match(problems({ file, set: ['early_stopping.patience=2'] }), 'early_stopping: needs evaluation.sets')
})

t.test('test sets are pair lists or protocols, their texts are paths, and mistakes are found in either', async (t) => {
  const file = path.join(t.testdir({ 'run.yaml': minimal }), 'run.yaml')
  const sets = (...entries: string[]) => ({ file, set: [`evaluation.sets=[${entries.join(', ')}]`] })
  const list = '{name: lfw, root: faces, pairs: p.txt}'
  const { evaluation } = resolveRun(sets(list, '{protocol: bin, file: a.bin, name: agedb}', '{protocol: LFW, data_conf: conf.yaml}', '{protocol: IJBB_1N, gallery_list_paths: [g1.csv, g2.csv], use_detector_score: false}')).config
  t.same(evaluation.sets, [
    { name: 'lfw', protocol: 'pairs', root: path.resolve('faces'), pairs: path.resolve('p.txt') },
    { name: 'agedb', protocol: 'bin', file: path.resolve('a.bin') },
    { protocol: 'LFW', data_conf: path.resolve('conf.yaml') },
    { protocol: 'IJBB_1N', gallery_list_paths: ['g1.csv', 'g2.csv'].map((name) => path.resolve(name)), use_detector_score: false },
  ])
  t.match(problems(sets('{name: lfw, rot: faces, pairs: p.txt}')), /evaluation\.sets\[0\]\.rot: unknown key, did you mean "root"\?/)
  t.match(problems(sets('{root: faces, pairs: p.txt}')), 'evaluation.sets[0].name: missing')
  t.match(problems(sets(list, '{name: lfw, protocol: bin, file: lfw.bin}')), 'evaluation.sets[1].name: "lfw" names two test sets')
  t.match(problems(sets('{protocol: LFW}', '{protocol: LFW}')), 'evaluation.sets[1]: "LFW" names two test sets')
})

t.test('a resolved configuration resolves to itself', async (t) => {
  const { config } = resolveRun({ file: path.join(t.testdir({ 'run.yaml': minimal }), 'run.yaml') })
  t.same(resolveRun({ config }).config, config)
})

t.test('extensions are relative to the file that names them, packages keep their names', async (t) => {
  const dir = t.testdir({ 'run.yaml': `${minimal}extensions: [./net.mjs, my-heads]\n` })
  t.same(resolveRun({ file: path.join(dir, 'run.yaml') }).config.extensions, [path.join(dir, 'net.mjs'), 'my-heads'])
})

t.test('a file that cannot be used says why', async (t) => {
  const dir = t.testdir({ 'broken.yaml': 'a: [1,\nb: 2\n', 'list.yaml': '- 1\n' })
  t.match(problems({ file: path.join(dir, 'absent.yaml') }), /absent\.yaml: cannot read the configuration: ENOENT/)
  t.match(problems({ file: path.join(dir, 'broken.yaml') }), /broken\.yaml:2:\d+ /)
  t.match(problems({ file: path.join(dir, 'list.yaml') }), /expected a mapping/)
})
