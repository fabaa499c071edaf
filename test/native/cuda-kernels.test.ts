/** The CUDA kernels on a stand-in of the CUDA runtime, so that a machine without a GPU finds wrong indices and formulas. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import t from 'tap'

import { findLibtorch } from '../../lib/setup/libtorch.js'
import { packageRoot } from '../../lib/setup/places.js'
import { findCompiler } from '../../lib/setup/prerequisites.js'

const native = path.join(packageRoot(), 'native')
const compiler = findCompiler()?.command
const libtorch = findLibtorch()
const why = process.env['FACEX_ALL'] === undefined ? 'compiling them takes a minute: FACEX_ALL=1' : compiler === undefined || libtorch === undefined ? 'needs a compiler and the headers of libtorch' : false

t.test('every CUDA kernel computes its formula, thread by thread', { skip: why, timeout: 900_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-kernels-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const program = path.join(folder, 'check')
  const flags = ['-std=c++20', '-O0', '-pthread', `-I${path.join(native, 'emulated')}`, `-I${native}`, '-isystem', path.join(libtorch!.folder, 'include')]
  const checks = readdirSync(path.join(native, 'emulated')).filter((name) => name.endsWith('.cc'))
  // device.cu asks the runtime about GPUs and has no kernel.
  const kernels = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.cu') && !name.endsWith('device.cu'))
  const sources = [...checks.map((name) => path.join(native, 'emulated', name)), '-x', 'c++', ...kernels.map((name) => path.join(native, name))]
  const compiled = spawnSync(compiler!, [...flags, ...sources, '-o', program], { encoding: 'utf8' })
  if (!t.equal(compiled.status, 0, compiled.stderr)) return
  const { status, stdout } = spawnSync(program, { encoding: 'utf8' })
  t.equal(status, 0, stdout)
  t.match(stdout, /^\d{3,} results, 0 off$/m)
})
