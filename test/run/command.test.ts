/** `facex train` as a user runs it: signals, resuming, exit statuses, what goes to which stream. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { parse, stringify } from 'yaml'

import type { RunConfigInput } from '../../lib/config/run.js'
import { readCheckpoint } from '../../lib/model/checkpoint.js'
import { isPartial } from '../../lib/model/formats/file-access.js'
import { packageRoot } from '../../lib/setup/places.js'
import { facex } from '../facex.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(600_000)

const root = await writeTinyFaces()

/** Writes a tiny configuration beside its run folder. */
function configFile(changes: Partial<RunConfigInput> = {}): { file: string; folder: string } {
  const config = tinyConfig(root, changes)
  const folder = config.out_dir!
  writeFileSync(`${folder}.yaml`, stringify(config))
  return { file: `${folder}.yaml`, folder }
}

/** Starts `facex ARGV`; `said` settles when stderr holds the text. */
function start(argv: string[]) {
  const child = spawn(process.execPath, [path.join(packageRoot(), 'bin', 'facex.mjs'), ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const exit = once(child, 'close') as Promise<[number | null, string | null]>
  const said = async (text: string) => {
    while (!stderr.includes(text) && child.exitCode === null && child.signalCode === null) await Promise.race([once(child.stderr, 'data'), exit])
  }
  return { child, exit, said, stderr: () => stderr }
}

const checkpoints = (folder: string) => readdirSync(path.join(folder, 'checkpoints'))

t.test('Ctrl-C ends with a checkpoint and 130, the folder is locked until then, --resume goes on', async (t) => {
  const { file, folder } = configFile({ epochs: 5000 })
  const run = start(['train', file])
  await run.said('step 5/')
  t.match(facex(['train', folder, '--resume']).status, 2, 'a folder is no configuration')
  const second = facex(['train', '--resume', folder])
  t.match(second, { status: 1, stderr: /another process is training in this run folder/ })
  run.child.kill('SIGINT')
  t.strictSame(await run.exit, [130, null])
  t.match(run.stderr(), /press Ctrl-C again to stop at once/)
  t.match(run.stderr(), /Stopped training Tiny.*npx facex train \S+config\.yaml --resume/s)
  const step = Number(/\d+/.exec(checkpoints(folder).sort().at(-1)!)![0])

  t.match(facex(['train', file]), { status: 2, stderr: /already holds a run.*--resume/ })
  const epochs = Math.ceil(step / 12) + 1
  const resumed = facex(['train', '--resume', folder, '--set', `epochs=${epochs}`, '--json'])
  t.match(resumed, { status: 0, stderr: new RegExp(`goes on after step ${step.toLocaleString('en-US')} from`) })
  t.match(JSON.parse(resumed.stdout), { reason: 'finished', step: 12 * epochs }, 'stdout holds JSON and nothing else')
})

t.test('one Ctrl-C that arrives twice, as below npx or timeout, ends with a checkpoint all the same', async (t) => {
  const { file, folder } = configFile({ epochs: 100, batch_size: 48, backbone: { type: 'MobileFaceNet' }, log: { every: 1, tensorboard: false } })
  const run = start(['train', file])
  await run.said('step 1/')
  run.child.kill('SIGINT')
  await run.said('press Ctrl-C again')
  run.child.kill('SIGINT')
  t.strictSame(await run.exit, [130, null])
  t.match(run.stderr(), /Stopped training/)
  const complete = checkpoints(folder).filter((name) => !isPartial(name))
  t.not(complete.length, 0)
  for (const name of complete) await t.resolves(readCheckpoint(path.join(folder, 'checkpoints', name)), 'what has the name of a checkpoint is one')
})

t.test('resuming with another network is refused and leaves the folder as it was', async (t) => {
  const { file, folder } = configFile({ epochs: 1 })
  t.equal(facex(['train', file]).status, 0)
  const refused = facex(['train', file, '--resume', '--set', 'head.type=ArcFace', '--set', 'seed=6'])
  t.match(refused, { status: 1, stderr: /head: was .*CurricularFace.*is now .*ArcFace.*seed: was 5, is now 6/s })
  t.match(parse(readFileSync(path.join(folder, 'config.yaml'), 'utf8')), { seed: 5, head: { type: 'CurricularFace' } })
  t.match(facex(['train', '--resume', folder, '--set', 'epochs=2']), { status: 0, stderr: /goes on after step 12/ })
})

t.test('a loss that is not finite ends with status 3 and names step, batch and images', async (t) => {
  const { file } = configFile()
  const { status, stderr } = facex(['train', file, '--set', 'optimizer.lr=1e30', '--set', 'schedule={name: step}'])
  t.equal(status, 3)
  t.match(stderr, /facex: .*step \d+.*not finite.*epoch 1, batch \d+ of 12 \(\S*train\.txt:\d+: \d\/\d\.png/s)
  t.equal(stderr.match(/epoch 1, batch/g)!.length, 1, 'said once')
})

t.test("FaceX-Zoo's own flags train", async (t) => {
  const out = path.join(t.testdir(), 'out')
  const conf = (name: string) => path.join(packageRoot(), 'configs', name)
  const flags = {
    data_root: root,
    train_file: path.join(root, 'train.txt'),
    backbone_type: 'MobileFaceNet',
    backbone_conf_file: conf('backbone_conf.yaml'),
    head_type: 'ArcFace',
    head_conf_file: conf('head_conf.yaml'),
    lr: '0.1',
    out_dir: out,
    epoches: '2',
    step: '1',
    batch_size: '16',
    momentum: '0.9',
    print_freq: '1',
    save_freq: '2',
    log_dir: path.join(out, 'log'),
    tensorboardx_logdir: path.join(out, 'board'),
  }
  const { status, stdout, stderr } = facex(['train', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])])
  t.match({ status, stderr }, { status: 0 })
  t.equal(stdout, '')
  t.match(stderr, /step 3\/6 .* lr 0\.1 .*step 4\/6 .* lr 0\.01 /s, 'the rate drops after the first epoch')
  t.notMatch(stderr, /\u001b|\r/, 'plain lines without a terminal')
  t.ok(checkpoints(out).includes('step-000000006.safetensors'))
  t.ok(existsSync(path.join(out, 'log', 'metrics.jsonl')))
  t.match(readdirSync(path.join(out, 'board')), [/tfevents/])
})
