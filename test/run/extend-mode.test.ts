import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { train } from '../../lib/index.js'
import { packageRoot } from '../../lib/setup/places.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

/** Writes the example of docs/extend-mode.md; it lies inside the package, so that `facex` means this checkout. */
function writeExample(folder: string): string {
  const text = readFileSync(path.join(packageRoot(), 'docs', 'extend-mode.md'), 'utf8')
  const file = path.join(folder, 'two-views.mjs')
  writeFileSync(file, /```js\n([^]*?)```/.exec(text)![1]!)
  return file
}

t.test('the documented mode and sampler train, with options checked like any other', async (t) => {
  const root = await writeTinyFaces()
  const base = tinyConfig(root, { epochs: 2 })
  const config = { ...base, extensions: [...base.extensions!, writeExample(t.testdir())], mode: { name: 'two-views', decay: 0.9 } }
  const end = await train(config)
  t.equal(end.reason, 'finished')
  t.equal(end.step, 24, 'each of the 48 images once an epoch, 4 a step')

  const half = await train({ ...config, out_dir: `${config.out_dir!}-half`, data: { ...config.data, sampler: { name: 'neighbours', share: 0.5 } } })
  t.equal(half.step, 12)

  const misspelt = { ...config, out_dir: `${config.out_dir!}-misspelt`, mode: { name: 'two-views', decey: 0.9 } }
  await t.rejects(train(misspelt), { code: 'ERR_CONFIG', message: /mode\.decey: unknown key, did you mean "decay"/ })
  await t.rejects(train({ ...misspelt, mode: { name: 'two-veiws' } }), { code: 'ERR_CONFIG', message: /unknown mode "two-veiws".*two-views/ })
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
