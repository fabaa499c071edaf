/** Mistakes in configuration and data as a user of the command line meets them. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { stringify } from 'yaml'

import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/report/train.js'
import { facexHere } from '../facex.js'
import { runFolder, tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()

/** Path of a new file in an empty folder. */
const newFile = (name: string) => path.join(path.dirname(runFolder()), name)

/** `facex train` on the tiny configuration as a file, with these changes to it. */
async function trainWith(changes: Partial<RunConfigInput> | Record<string, unknown>, argv: string[] = []) {
  const file = newFile('run.yaml')
  writeFileSync(file, stringify(tinyConfig(root, { epochs: 1, ...changes } as Partial<RunConfigInput>), { aliasDuplicateObjects: false }))
  return { file, ...(await facexHere(['train', file, ...argv])) }
}

/** Line of the first occurrence of `text`, counted from 1. */
function lineOf(file: string, text: string): number {
  return readFileSync(file, 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1
}

t.test('mistakes in the configuration end with status 2, file and line', async (t) => {
  const cases: [what: string, changes: Record<string, unknown>, at: string, message: RegExp][] = [
    ['an unknown key', { epoch: 3 }, 'epoch: 3', /epoch: unknown key, did you mean "epochs"\?/],
    ['a wrong type', { epochs: 'many' }, 'epochs:', /epochs: expected a number, received "many" \(string\)/],
    ['an unknown backbone', { backbone: { type: 'MobilFaceNet' } }, 'MobilFaceNet', /backbone\.type: unknown backbone "MobilFaceNet", did you mean "MobileFaceNet"\?/],
    ['an unknown option of a backbone', { backbone: { type: 'MobileFaceNet', feat_dims: 5 } }, 'feat_dims', /backbone\.feat_dims: unknown key, did you mean "feat_dim"\?/],
    ['an unknown head', { head: { type: 'ArcFase' } }, 'ArcFase', /head\.type: unknown head "ArcFase", did you mean "ArcFace"\?/],
    ['a wrong number of classes', { head: { type: 'ArcFace', num_class: 7 } }, 'num_class', /head\.num_class: expected 6, .*received 7/],
  ]
  for (const [what, changes, at, message] of cases) {
    const { status, stdout, stderr, file } = await trainWith(changes)
    t.equal(status, 2, what)
    t.match(stderr, message)
    t.ok(stderr.includes(`${file}:${lineOf(file, at)}:`), `${what} is named with its line`)
    t.notMatch(stderr, /\n +at /, 'no stack')
    t.equal(stdout, '')
  }
})

t.test('a label beyond num_class ends with status 1, the list and its line', async (t) => {
  const { status, stderr } = await trainWith({ head: { type: 'ArcFace', num_class: 5 } })
  t.equal(status, 1)
  t.match(stderr, /head\.num_class is 5, but the training data has other labels/)
  t.match(stderr, /train\.txt:41: 5\/0\.png: label 5, expected class 0 to 4/)
  t.match(stderr, /and 3 more/)
})

t.test('a batch larger than the data set ends with status 2', async (t) => {
  const { status, stderr } = await trainWith({ batch_size: 64 })
  t.equal(status, 2)
  t.match(stderr, /batch_size: a step takes 64 samples, but an epoch has only 48; choose a smaller batch/)
})

t.test('mistakes on the command line end with status 2', async (t) => {
  t.match(await trainWith({}, ['--set', 'optimizer.lr=fast']), { status: 2, stderr: /--set.*optimizer\.lr: expected a number, received "fast"/ })
  t.match(await facexHere(['train', path.join(root, 'none.yaml')]), { status: 2, stderr: /none\.yaml/ })
  t.match(await facexHere(['train', '--bakbone_type', 'MobileFaceNet']), { status: 2, stderr: /unknown option --bakbone_type, did you mean --backbone_type\?/ })
  t.match(await facexHere(['train', '--resume', root]), { status: 2, stderr: /--resume: \S+ holds no config\.yaml, so it is no run folder/ })
  t.match(await facexHere(['train', '--lr', 'high']), { status: 2, stderr: /--lr: expected a number, received "high"/ })
})

t.test('mistakes in the data end with status 1 and the line', async (t) => {
  const withList = (lines: string[]) => {
    const list = newFile('train.txt')
    writeFileSync(list, lines.map((line) => `${line}\n`).join(''))
    return trainWith({ data: { train: [{ kind: 'list', root, list }] } })
  }
  t.match(await withList([]), { status: 1, stderr: /train\.txt.*no line/ })
  t.match(await withList(['0/0.png 0', '0/1.png']), { status: 1, stderr: /train\.txt:2/ }, 'a line without a label')
  t.match(await withList(['0/0.png 0', '1/0.png 2', '2/0.png 2', '0/2.png 0']), { status: 1, stderr: /label.* 1\b/ }, 'a gap in the labels')
  const missing = await withList(['0/0.png 0', '0/none.png 0', '1/0.png 1', '1/nothing.png 1'])
  t.match(missing, { status: 1, stderr: /train\.txt:2: 0\/none\.png.*train\.txt:4: 1\/nothing\.png/s }, 'all missing files together')
})

t.test('folders that are missing or cannot be read end with status 1', async (t) => {
  const missing = await trainWith({ data: { train: [{ kind: 'folder', root: path.join(root, 'nowhere') }] } })
  t.match(missing, { status: 1, stderr: /nowhere.*(no such|not exist|cannot be read)/ })
  const locked = newFile('locked')
  mkdirSync(locked)
  chmodSync(locked, 0)
  t.teardown(() => chmodSync(locked, 0o700))
  const unreadable = await trainWith({ data: { train: [{ kind: 'folder', root: locked }] } })
  t.match(unreadable, { status: 1, stderr: /locked/ }, 'as root it is an empty folder, for others one without permission')
  const file = await trainWith({ data: { train: [{ kind: 'folder', root: path.join(root, 'train.txt') }] } })
  t.match(file, { status: 1, stderr: /train\.txt/ }, 'a file where a folder is expected')
})

t.test('an image that turns out damaged ends the run with status 1, or is replaced', async (t) => {
  const list = newFile('train.txt')
  const damaged = newFile('damaged.png')
  const whole = readFileSync(path.join(root, '0', '0.png'))
  writeFileSync(damaged, whole.fill(0xff, whole.length - 28, whole.length - 20))
  writeFileSync(list, [`${damaged} 0`, ...[0, 1, 2, 3].map((i) => `${root}/1/${i}.png 1`)].map((line) => `${line}\n`).join(''))
  const data = { train: [{ kind: 'list', root: '/', list }] }
  const failed = await trainWith({ data, batch_size: 5 })
  t.match(failed, { status: 1, stderr: /^facex: \S*train\.txt:1: \S*damaged\.png: /m })
  t.notMatch(failed.stderr, /\n +at |Error:/, 'a message, not a bug')
  t.match(await trainWith({ data: { ...data, on_bad_image: 'skip' }, batch_size: 5 }), { status: 0, stderr: /warning: \S*train\.txt:1: \S*damaged\.png: .*another image takes its place.*1 bad images? replaced/s })
})

t.test('facex train alone explains itself', async (t) => {
  t.match(await facexHere(['train']), { status: 2, stderr: /expected a configuration file.*Usage: facex train CONFIG/s })
})

t.test('a run folder that cannot be made ends with status 2', async (t) => {
  t.match(await trainWith({ out_dir: path.join(root, 'train.txt', 'run') }), { status: 2, stderr: /out_dir: the run folder cannot be made/ })
})

t.test('checkpoints that are damaged or of another network end with status 1', async (t) => {
  const { checkpoint } = await train(tinyConfig(root, { epochs: 1 }))
  const damaged = newFile('damaged.safetensors')
  copyFileSync(checkpoint!, damaged)
  truncateSync(damaged, 1000)
  const image = path.join(root, '0', '0.png')
  const compare = (weights: string, ...more: string[]) => facexHere(['compare', '--weights', weights, image, image, ...more])
  t.match(await compare(damaged), { status: 1, stderr: /damaged\.safetensors: .*(truncated|damaged|bytes)/ })
  t.match(await compare(path.join(root, 'train.txt')), { status: 1, stderr: /train\.txt/ }, 'not a checkpoint at all')
  t.match(await trainWith({ init: { weights: damaged } }), { status: 1, stderr: /damaged\.safetensors/ })
  const other = await trainWith({ backbone: { type: 'MobileFaceNet' }, init: { weights: checkpoint } })
  t.match(other, { status: 1, stderr: /step-000000012\.safetensors.*conv1/s }, 'the first differing tensors are named')
})
