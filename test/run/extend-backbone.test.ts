import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import { stringify } from 'yaml'

import { train } from '../../lib/index.js'
import { packageRoot } from '../../lib/setup/places.js'
import { facex } from '../facex.js'
import { finalTensors } from './children.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const root = await writeTinyFaces()

/** Writes the example of docs/extend-backbone.md; it lies inside the package, so that `facex` means this checkout. */
function writeExample(folder: string, change = (code: string) => code): string {
  const text = readFileSync(path.join(packageRoot(), 'docs', 'extend-backbone.md'), 'utf8')
  const file = path.join(folder, 'my-net.mjs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, change(/```js\n([^]*?)```/.exec(text)![1]!))
  return file
}

t.test('the documented network trains, goes on, and is used from its checkpoint', async (t) => {
  const folder = t.testdir()
  const losses: number[] = []
  const config = tinyConfig(root, { extensions: [writeExample(folder)], backbone: { type: 'MyNet', width: 8 }, epochs: 1 })
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

t.test('the documented network costs what it should, and mistakes in it are explained', (t) => {
  const folder = t.testdir()
  const commandLine = (change?: (code: string) => string, backbone: object = { type: 'MyNet', width: 24 }) => {
    const { extensions: _, ...config } = tinyConfig(root, { backbone: backbone as { type: string } })
    writeExample(folder, change)
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
