import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t, { type Test } from 'tap'

import { facexHere } from '../facex.js'

const small = `data:
  train:
    - { kind: list, root: ., list: train.txt }
backbone: { type: MobileFaceNet }
head: { type: ArcFace }
epochs: 1
batch_size: 2
`

/** Runs `facex train` in a folder with the given files. */
async function train(t: Test, files: Record<string, string>, ...argv: string[]) {
  const cwd = t.testdir(files)
  return { cwd, ...(await facexHere(['train', ...argv], { cwd })) }
}

t.test('mistakes in the configuration end with status 2 before anything is made', async (t) => {
  const cases: [string, Record<string, string>, string[], RegExp][] = [
    ['no configuration at all', {}, [], /expected a configuration file, a run folder to resume, or FaceX-Zoo/],
    ['a missing file', {}, ['absent.yaml'], /absent\.yaml: cannot read the configuration/],
    ['an unknown key', { 'run.yaml': `${small}epocs: 3\n` }, ['run.yaml'], /run\.yaml:8:1 epocs: unknown key, did you mean "epochs"\?/],
    ['a wrong type', { 'run.yaml': small }, ['run.yaml', '--set', 'batch_size=many'], /--set batch_size=many batch_size: expected .* received "many" \(string\)/],
    ['a wrong flag', { 'run.yaml': small }, ['run.yaml', '--epochs', '3'], /unknown option --epochs, did you mean --epoches\?/],
    ['two configurations', { 'run.yaml': small }, ['run.yaml', 'b.yaml'], /unexpected argument "b\.yaml"/],
  ]
  for (const [name, files, argv, message] of cases) {
    const { status, stdout, stderr, cwd } = await train(t, files, ...argv)
    t.equal(status, 2, name)
    t.match(stderr, message)
    t.equal(stdout, '')
    t.notOk(existsSync(path.join(cwd, 'runs')))
  }
})

t.test('--help names every flag of FaceX-Zoo', async (t) => {
  const { stdout } = await facexHere(['train', '--help'])
  for (const flag of ['data_root', 'train_file', 'backbone_conf_file', 'head_conf_file', 'epoches', 'tensorboardx_logdir', 'alpha']) t.match(stdout, `--${flag}`)
})

t.test('config show prints a configuration that can be read again', async (t) => {
  const cwd = t.testdir({ 'run.yaml': small })
  const first = await facexHere(['config', 'show', 'run.yaml', '--set', 'seed=7'], { cwd })
  t.equal(first.status, 0)
  writeFileSync(path.join(cwd, 'again.yaml'), first.stdout)
  t.equal((await facexHere(['config', 'show', 'again.yaml'], { cwd })).stdout, first.stdout)
  t.match(readFileSync(path.join(cwd, 'again.yaml'), 'utf8'), 'seed: 7')
})

t.test('config check says which files are right', async (t) => {
  const cwd = t.testdir({ 'run.yaml': small, 'bad.yaml': `${small}seed: -1\n` })
  t.equal((await facexHere(['config', 'check', 'run.yaml'], { cwd })).stdout, 'run.yaml: ok\n')
  const { status, stderr } = await facexHere(['config', 'check', 'bad.yaml'], { cwd })
  t.equal(status, 2)
  t.match(stderr, /bad\.yaml:8:1 seed: expected a number at least 0, received -1 \(number\)/)
})

t.test('config schema is a JSON Schema with a description for every key', async (t) => {
  const schema = JSON.parse((await facexHere(['config', 'schema'])).stdout)
  t.match(schema, { type: 'object', additionalProperties: false, anyOf: [{ required: ['extends'] }, { required: ['data', 'backbone', 'head', 'epochs'] }] })
  for (const [key, value] of Object.entries<{ description?: string }>(schema.properties)) t.type(value.description, 'string', key)
})
