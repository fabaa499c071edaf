// `npm run test:cuda`: the tests of the engine, computed on the GPU: golden values of heads, networks and training runs,
// gradients against formulas, optimizers, Partial FC, batches as they arrive there; then runs whose losses must be those of
// the CPU.
import { spawnSync } from 'node:child_process'
import path from 'node:path'

import { fail, root } from './addon.mjs'
import { compile } from './compile.mjs'

const TESTS = ['heads', 'heads-contract', 'heads-expression', 'pair-losses', 'partial-fc', 'ops', 'network', 'backbones', 'optimizer', 'loader', 'trainer', 'trainer-golden', 'distillation', 'cuda-run']

if (!compile()) fail('TypeScript did not compile.')
const { addon } = await import(path.join(root, 'dist', 'lib', 'native.js'))
const { available, problem, remedy } = addon().info().cuda
if (!available) fail(`there is no GPU to test on: ${problem}. ${remedy}.`)
const files = TESTS.map((name) => `dist/test/native/${name}.test.js`)
// One at a time: they share a GPU.
const { status } = spawnSync('npx', ['tap', '--jobs=1', '--reporter=terse', ...files], { cwd: root, stdio: 'inherit', env: { ...process.env, FACEX_TEST_DEVICE: 'cuda' } })
process.exitCode = status ?? 1
