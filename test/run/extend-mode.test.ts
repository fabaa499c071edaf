import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { train } from '../../lib/index.js'
import { writeExample } from './doc-example.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

t.test('the documented mode and sampler train, with options checked like any other', async (t) => {
  const root = await writeTinyFaces()
  const base = tinyConfig(root, { epochs: 2 })
  const config = { ...base, extensions: [...base.extensions!, writeExample(t.testdir(), 'docs/extend-mode.md', 'two-views.mjs')], mode: { name: 'two-views', decay: 0.9 } }
  const end = await train(config)
  t.equal(end.reason, 'finished')
  t.equal(end.step, 24, 'each of the 48 images once an epoch, 4 a step')

  const half = await train({ ...config, out_dir: `${config.out_dir!}-half`, data: { ...config.data, sampler: { name: 'neighbours', share: 0.5 } } })
  t.equal(half.step, 12)

  const misspelt = { ...config, out_dir: `${config.out_dir!}-misspelt`, mode: { name: 'two-views', decey: 0.9 } }
  await t.rejects(train(misspelt), { code: 'ERR_CONFIG', message: /mode\.decey: unknown key, did you mean "decay"/ })
  await t.rejects(train({ ...misspelt, mode: { name: 'two-veiws' } }), { code: 'ERR_CONFIG', message: /unknown mode "two-veiws".*two-views/ })
})

t.test('the head and the mode of README train together and are trained on after a stop', async (t) => {
  const root = await writeTinyFaces()
  const base = tinyConfig(root, { epochs: 3, accumulate: 2 })
  const folder = t.testdir()
  const extensions = [...base.extensions!, ...['steep-face.mjs', 'mean-teacher.mjs'].map((name) => writeExample(folder, 'README.md', name))]
  const config = { ...base, extensions, head: { type: 'SteepFace', margin: 0.3, scale: 16 }, mode: { name: 'mean-teacher', decay: 0.9 } }
  const losses: number[] = []
  const end = await train(config, { listeners: [{ onEpoch: ({ loss }) => void losses.push(loss) }] })
  t.match(end, { reason: 'finished', step: 18 })
  t.ok(losses.at(-1)! < losses[0]!, `loss ${losses.join(', ')}`)
  t.match(await train({ ...config, epochs: 4 }, { resume: true }), { reason: 'finished', step: 24 })
})

t.test('a mode or sampler of an extension may not take the name of a shipped one', async (t) => {
  const root = await writeTinyFaces()
  const config = tinyConfig(root)
  for (const [kind, make, name] of [['mode', 'defineMode', 'conventional'], ['sampler', 'defineSampler', 'shuffle']] as const) {
    const file = path.join(t.testdir(), `${kind}.mjs`)
    writeFileSync(file, `import { ${make} } from 'facex'\nexport default ${make}({ name: '${name}', summary: 'another', options: {}, create: () => undefined })\n`)
    await t.rejects(train({ ...config, extensions: [...config.extensions!, file] }), { code: 'ERR_CONFIG', message: `${kind} "${name}": an extension may not take the name of another ${kind}` })
  }
})
