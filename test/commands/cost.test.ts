import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { facexHere } from '../facex.js'

t.test('cost prints parameters, multiply-adds and memory of one backbone', async (t) => {
  const { status, stdout } = await facexHere(['cost', '--backbone', 'MobileFaceNet', '--json'])
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { name: 'MobileFaceNet', input: [3, 112, 112], params: 1200512, macs: 221161984, dead: [], batch_size: 64 })
})

t.test('--set changes an option, and an entry of backbone_conf.yaml names a variant', async (t) => {
  const cost = async (...argv: string[]) => JSON.parse((await facexHere(['cost', '--json', ...argv])).stdout) as { params: number; input: number[] }
  t.equal((await cost('--backbone', 'ResNet50-ir')).params, 43574976)
  t.same((await cost('--backbone', 'ResNet50-ir', '--set', 'out_h=4')).input, [3, 60, 112])
})

t.test('--all prints every entry of the shipped configuration, dead parameters included', async (t) => {
  const { status, stdout } = await facexHere(['cost', '--all'])
  t.equal(status, 0)
  t.match(stdout, /^Attention-92 +112 x 112 +134\.56 +32\.77 +10494\.61/m)
  t.match(stdout, /^Swin-T +224 x 224 +46\.79/m)
})

t.test('--config costs the backbone of a run, variant of a conf file or not', async (t) => {
  const folder = t.testdir()
  writeFileSync(path.join(folder, 'conf.yaml'), 'Slim:\n  type: GhostNet\n  width: 0.5\n')
  writeFileSync(
    path.join(folder, 'run.yaml'),
    'data: {train: [{kind: folder, root: faces}]}\nbackbone: {type: Slim, conf_file: conf.yaml}\nhead: {type: ArcFace}\nepochs: 1\n',
  )
  const { status, stdout, stderr } = await facexHere(['cost', '--config', 'run.yaml', '--json'], { cwd: folder })
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), { backbone: 'GhostNet' })
})

t.test('a wrong option is a usage or configuration error that names what is known', async (t) => {
  const failure = async (...argv: string[]) => {
    const { status, stderr } = await facexHere(['cost', ...argv])
    return `${status}: ${stderr}`
  }
  t.match(await failure('--backbone', 'ResNet', '--set', 'dept=50'), /^2: [^]*backbone\.dept: unknown key, did you mean "depth"\?/)
  t.match(await failure('--backbone', 'ResNett'), /^2: [^]*unknown backbone "ResNett", did you mean "ResNet"\?/)
  t.match(await failure(), /^2: [^]*expected one of --backbone, --config and --all/)
  t.match(await failure('--all', '--precision', 'fp64'), /^2: [^]*unknown precision "fp64"/)
})

t.test('backbones lists names, options and defaults', async (t) => {
  const { stdout } = await facexHere(['backbones'])
  t.match(stdout, /^ResNet: improved residual network/m)
  t.match(stdout, /^ {2}net_mode: ir_se +plain, or with squeeze-and-excitation/m)
  t.equal(JSON.parse((await facexHere(['backbones', '--json'])).stdout).length, 14)
})
