import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { stringify } from 'yaml'

import { train } from '../../lib/index.js'
import { facex } from '../facex.js'
import { finalTensors } from './children.js'
import { writeExample } from './doc-example.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()

const DOCUMENT = 'docs/extend-backbone.md'

t.test('the documented network trains, goes on, and is used from its checkpoint', async (t) => {
  const folder = t.testdir()
  const losses: number[] = []
  const config = tinyConfig(root, { extensions: [writeExample(folder, DOCUMENT, 'my-net.mjs')], backbone: { type: 'MyNet', width: 8 }, epochs: 1 })
  const first = await train(config, { listeners: [{ onStep: ({ loss }) => losses.push(loss) }] })
  t.match(first, { reason: 'finished', step: 12 })
  t.ok(losses.length > 0 && losses.every(Number.isFinite), `losses ${losses.join(', ')}`)
  t.match(await train({ ...config, epochs: 2 }, { resume: true }), { reason: 'finished', step: 24 })
  const { tensors } = await finalTensors(config)
  t.ok('backbone.body.0.conv.weight' in tensors, 'names follow the attributes')

  const image = path.join(root, '0', '0.png')
  const used = facex(['compare', '--weights', first.checkpoint!, image, image, '--json'])
  t.equal(used.status, 0, used.stderr)
  t.match(JSON.parse(used.stdout), { similarity: Number })
})

t.test('the network of README trains, and its state dict is named as it says', async (t) => {
  const config = tinyConfig(root, { extensions: [writeExample(t.testdir(), 'README.md', 'tiny-net.mjs')], backbone: { type: 'TinyNet', blocks: 4 }, epochs: 1 })
  t.match(await train(config), { reason: 'finished', step: 12 })
  const names = Object.keys((await finalTensors(config)).tensors).filter((name) => name.startsWith('backbone.') && name.endsWith('.weight'))
  t.same(names.slice(0, 4), ['backbone.0.weight', 'backbone.1.body.0.weight', 'backbone.1.body.1.weight', 'backbone.1.body.2.weight'])
})

t.test('the documented network costs what it should, and mistakes in it are explained', (t) => {
  const folder = t.testdir()
  const commandLine = (change?: (code: string) => string, backbone: object = { type: 'MyNet', width: 24 }) => {
    const { extensions: _, ...config } = tinyConfig(root, { backbone: backbone as { type: string } })
    writeExample(folder, DOCUMENT, 'my-net.mjs', change)
    writeFileSync(path.join(folder, 'run.yaml'), stringify({ ...config, extensions: ['./my-net.mjs'] }))
    return facex(['cost', '--config', path.join(folder, 'run.yaml'), '--json'])
  }
  const { status, stdout, stderr } = commandLine()
  t.equal(status, 0, stderr)
  const [stem, block, linear, norm] = [3 * 24 * 16 + 24, 24 * 24 * 9 + 3 * 24, 24 * 28 * 28 * 128 + 128, 2 * 128]
  t.equal((JSON.parse(stdout) as { params: number }).params, stem + 2 * block + linear + norm)
  t.match(commandLine(undefined, { type: 'MyNet', widht: 24 }), { status: 2, stderr: /backbone\.widht: unknown key, did you mean "width"/ })
  t.match(commandLine(undefined, { type: 'MyNett' }), { status: 2, stderr: /unknown backbone "MyNett", did you mean "MyNet"/ })
  t.match(commandLine((code) => code.replace('new Block(width), new Block(width)', 'new Block(width), new Block(32)')), {
    status: 2,
    stderr: /^facex: body\.1\.conv: expected 32 channels, got 24 \(input \[24, 28, 28\], weight \[32, 32, 3, 3\]\)$/m,
  })
  t.end()
})
