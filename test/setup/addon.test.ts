/** Where the addon is looked for, in an installation as npm makes it, and what is said when it cannot be loaded. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import t, { type Test } from 'tap'

import { addon } from '../../lib/native.js'
import type { AddonAttempt } from '../../lib/setup/addon.js'
import { findLibtorchOf } from '../../lib/setup/libtorch.js'
import { packageRoot, packageVersion } from '../../lib/setup/places.js'
import { prebuiltName } from '../../lib/setup/prebuilt.js'
import type { Variant } from '../../lib/setup/sources.js'

const root = packageRoot()
const { libtorch: version, cuda } = addon().info()
const variant: Variant = cuda.libtorch ? 'cuda' : 'cpu'

/** What loadAddon() of the facex in `home` finds, in a process of its own without Python on PATH. */
function load(home: string, env: Record<string, string | undefined>): AddonAttempt[] {
  const program = `const { loadAddon } = await import(${JSON.stringify(path.join(home, 'dist/lib/setup/addon.js'))}); console.log(JSON.stringify(loadAddon().attempts))`
  const clean = { PATH: '', LIBTORCH: undefined, FACEX_ADDON: undefined, NODE_OPTIONS: undefined }
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env: { ...process.env, ...clean, ...env } })
  return JSON.parse(stdout || `[{"place":"","problem":${JSON.stringify(stderr)}}]`) as AddonAttempt[]
}

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-addon-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** node_modules with facex as a package, its dependencies, and a prebuilt package whose package.json is `manifest`. */
function installed(t: Test, manifest?: object): (env?: Record<string, string>) => AddonAttempt[] {
  const folder = temporaryFolder(t)
  const modules = path.join(folder, 'node_modules')
  const home = path.join(modules, 'facex')
  for (const part of ['dist/lib', 'package.json']) cpSync(path.join(root, part), path.join(home, part), { recursive: true })
  if (manifest !== undefined) {
    const prebuilt = path.join(modules, prebuiltName(variant))
    mkdirSync(prebuilt)
    const built = readdirSync(path.join(root, 'build')).filter((name) => /^facex\w*\.(node|so)$/.test(name))
    for (const name of built) symlinkSync(path.join(root, 'build', name), path.join(prebuilt, name))
    writeFileSync(path.join(prebuilt, 'package.json'), JSON.stringify(manifest))
  }
  return (env = {}) => load(home, { XDG_CACHE_HOME: path.join(folder, 'cache'), ...env })
}

const manifest = (libtorch: string, facex = packageVersion()) => ({ name: prebuiltName(variant), version: facex, main: 'facex.node', facex: { libtorch, variant } })

t.test('an installed facex takes the prebuilt package, with the libtorch that it was compiled for', async (t) => {
  const libtorch = findLibtorchOf(version, variant)
  const reason = 'the libtorch of this build is where only the addon finds it'
  if (libtorch === undefined) return t.pass(reason, { skip: reason })
  const attempts = installed(t, manifest(version))({ LIBTORCH: libtorch.folder })
  t.strictSame(attempts.at(-1), { place: prebuiltName(variant) })
})

t.test('another libtorch is refused before anything is loaded, and so is a prebuilt package of another facex', async (t) => {
  const missing = installed(t, manifest('2.12.9'))()
  const { problem } = missing.find(({ place }) => place === prebuiltName(variant))!
  t.equal(problem, `libtorch 2.12.9 (${variant}) is not on this machine: run \`npx facex setup --${variant}\``)
  const foreign = installed(t, manifest(version, '9.9.9'))()
  t.match(foreign.find(({ place }) => place === prebuiltName(variant)), { problem: /^is of version 9\.9\.9, facex is .*: install facex-/ })
})

t.test('without any addon all places are listed', async (t) => {
  t.match(installed(t)(), [
    { place: /build.facex\.node$/, problem: 'there is no such file' },
    { place: prebuiltName('cuda'), problem: 'not installed' },
    { place: prebuiltName('cpu'), problem: 'not installed' },
  ])
})

/** A stand-in for an addon, which Node loads as it loads one; called again, it is loaded by another process. */
function standIn(t: Test, program: string): { file: string; attempts(): AddonAttempt[] } {
  const folder = temporaryFolder(t)
  const file = path.join(folder, 'addon.cjs')
  writeFileSync(file, program)
  return { file, attempts: () => load(root, { FACEX_ADDON: file, XDG_CACHE_HOME: path.join(folder, 'cache') }) }
}

t.test('an addon that ends its process becomes a message', async (t) => {
  const problem = (program: string) => standIn(t, program).attempts()[0]!.problem
  t.equal(problem('process.abort()'), 'loading it ends the process (SIGABRT)')
  t.equal(problem('process.exit(3)'), 'loading it ends the process (exit status 3)')
  t.equal(problem('throw new Error("GLIBC_2.99 not found")'), 'GLIBC_2.99 not found')
})

t.test('what loaded once is not tried again until it changes', async (t) => {
  const log = path.join(temporaryFolder(t), 'log')
  const { file, attempts } = standIn(t, `require('node:fs').appendFileSync(${JSON.stringify(log)}, '.'); exports.info = () => ({})`)
  const loads = () => {
    writeFileSync(log, '')
    t.strictSame(attempts(), [{ place: file }])
    return readFileSync(log, 'utf8').length
  }
  t.equal(loads(), 2, 'in a process of its own first')
  t.equal(loads(), 1)
  appendFileSync(file, '\n')
  t.equal(loads(), 2)
})
