import path from 'node:path'
import { pathToFileURL } from 'node:url'

import t from 'tap'

import type { HeadDefinition } from '../../lib/heads/index.js'
import { train } from '../../lib/index.js'
import { HeadRunner, distance } from '../native/head-runner.js'
import { writeExample } from './doc-example.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const DOCUMENT = 'docs/extend-head.md'

t.test('the documented head trains, with options checked like any other', async (t) => {
  const root = await writeTinyFaces()
  const base = tinyConfig(root, { epochs: 1 })
  const folder = t.testdir({ taken: {} })
  const losses: number[] = []
  const config = { ...base, extensions: [...base.extensions!, writeExample(folder, DOCUMENT, 'my-head.mjs')], head: { type: 'MildArcFace', margin: 0.2 } }
  const end = await train(config, { listeners: [{ onStep: ({ loss }) => losses.push(loss) }] })
  t.equal(end.reason, 'finished')
  t.equal(end.step, 12)
  t.ok(losses.length > 0 && losses.every(Number.isFinite), 'losses')

  const misspelt = { ...config, out_dir: `${config.out_dir!}-misspelt`, head: { type: 'MildArcFace', margn: 0.2 } }
  await t.rejects(train(misspelt), { code: 'ERR_CONFIG', message: /head\.margn: unknown key, did you mean "margin"/ })
  await t.rejects(train({ ...misspelt, head: { type: 'MildArcFase' } }), { code: 'ERR_CONFIG', message: /did you mean "MildArcFace"/ })
  const taken = writeExample(path.join(folder, 'taken'), DOCUMENT, 'my-head.mjs', (code) => code.replace("'MildArcFace'", "'ArcFace'"))
  await t.rejects(train({ ...misspelt, extensions: [...base.extensions!, taken] }), { code: 'ERR_CONFIG', message: /head "ArcFace": an extension may not take the name/ })
})

for (const [document, name] of [[DOCUMENT, 'my-head.mjs'], ['README.md', 'steep-face.mjs']] as const) {
  t.test(`${document}: the gradient of the head agrees with finite differences`, async (t) => {
    const file = writeExample(t.testdir(), document, name)
    const { default: definition } = (await import(pathToFileURL(file).href)) as { default: HeadDefinition }
    const [dims, labels] = [8, [0, 3, 3, 6]]
    const head = new HeadRunner(definition, { feat_dim: dims, num_class: 7 }, 'float64', false)
    const features = Array.from({ length: 4 * dims }, (_, i) => 3 * Math.sin(1.7 * i + 0.3))
    const { gradEmbeddings } = head.run(features, labels)
    const loss = (i: number, shift: number) => head.run(features.map((value, j) => (j === i ? value + shift : value)), labels).loss
    const slopes = features.map((_, i) => (loss(i, 1e-5) - loss(i, -1e-5)) / 2e-5)
    t.ok(distance(gradEmbeddings, slopes) < 1e-7, `${distance(gradEmbeddings, slopes)}`)
  })
}
