/** The order of copies to a device and of their reader, on a stand-in of a device with streams. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import t from 'tap'

import { findLibtorch } from '../../lib/setup/libtorch.js'
import { packageRoot } from '../../lib/setup/places.js'
import { findCompiler } from '../../lib/setup/prerequisites.js'

const native = path.join(packageRoot(), 'native')
const compiler = findCompiler()?.command
const libtorch = findLibtorch()
const why = process.env['FACEX_ALL'] === undefined ? 'compiling it takes a minute: FACEX_ALL=1' : compiler === undefined || libtorch === undefined ? 'needs a compiler and the headers of libtorch' : false

t.test('a reader of batches on a device waits for their copies, on its stream', { skip: why, timeout: 900_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-streams-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const program = path.join(folder, 'check')
  const libraries = path.join(libtorch!.folder, 'lib')
  const sources = ['emulated/streams/main.cc', 'emulated/streams/device.cc', 'core/copy_stream.cc'].map((name) => path.join(native, name))
  const flags = ['-std=c++20', '-O0', '-pthread', `-I${native}`, '-isystem', path.join(libtorch!.folder, 'include')]
  const link = [`-L${libraries}`, `-Wl,-rpath,${libraries}`, '-Wl,--no-as-needed', '-ltorch_cpu', '-lc10']
  const compiled = spawnSync(compiler!, [...flags, ...sources, '-o', program, ...link], { encoding: 'utf8' })
  if (!t.equal(compiled.status, 0, compiled.stderr)) return
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' })
  t.equal(status, 0, stdout + stderr)
})
