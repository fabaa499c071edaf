import { spawnSync } from 'node:child_process'
import path from 'node:path'

import t from 'tap'

import { packageRoot } from '../../lib/setup/places.js'
import { runFolder, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

function example(name: string, ...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(packageRoot(), 'examples', name), ...argv], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`examples/${name} failed:\n${stderr}`)
  return stdout.trim()
}

t.test('the examples train, compare and evaluate', async (t) => {
  const faces = await writeTinyFaces()
  const checkpoint = example('train.mjs', faces, runFolder())
  t.match(checkpoint, /step-000000012\.safetensors$/)
  t.equal(example('embed.mjs', checkpoint, path.join(faces, '0/0.png'), path.join(faces, '0/0.png')), '1.0000')
  t.match(example('evaluate.mjs', checkpoint, path.join(faces, 'pairs.txt'), faces), /^\d+\.\d\d% of 20 pairs$/)
})
