// `npm ci` ends here: TypeScript, libtorch, the addon. `--native` builds the addon alone (node-gyp calls that).
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { compile } from './compile.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const built = path.join(root, 'build', 'facex.node')
const stampFile = path.join(root, 'build', 'facex.stamp')
const KEPT_BUILDS = 4

/** Library files of the TypeScript build; only there once compile() has run. */
const setup = (name) => import(path.join(root, 'dist', 'lib', 'setup', `${name}.js`))

async function build() {
  // `npx facex` in this folder makes npm link the package and run its `prepare` again, unseen.
  if (process.env.npm_command === 'exec' && existsSync(built) && existsSync(path.join(root, 'dist', 'lib', 'cli.js'))) return
  const nativeOnly = process.argv.includes('--native')
  if (!(nativeOnly && existsSync(path.join(root, 'dist', 'lib', 'setup'))) && !compile()) fail('TypeScript did not compile.')
  const { checkPrerequisites, findCompiler, missingMessage } = await setup('prerequisites')
  const missing = missingMessage(checkPrerequisites())
  if (missing !== undefined) fail(missing)

  const libtorch = await libtorchOrFetch()
  log(`libtorch ${libtorch.version} in ${libtorch.folder}`)
  const { buildStamp } = await setup('stamp')
  const stamp = buildStamp(libtorch, findCompiler().version)
  if (existsSync(built) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && loads(built)) {
    log('the addon is up to date')
    return
  }
  const { cacheFolder } = await setup('places')
  const kept = path.join(cacheFolder(), 'addon', stamp, 'facex.node')
  if (existsSync(kept) && loads(kept)) {
    log('the addon was built before from the same sources')
  } else {
    await buildAddon(libtorch)
    keep(kept)
  }
  install(kept, built)
  writeFileSync(stampFile, stamp)
}

async function libtorchOrFetch() {
  const { findLibtorch } = await setup('libtorch')
  const found = findLibtorch()
  if (found !== undefined) return found
  const { fetchLibtorch } = await setup('fetch')
  const { stderrLog } = await setup('log')
  return fetchLibtorch({}, stderrLog())
}

/** CMake through cmake-js, in a folder of its own: node-gyp writes its makefiles to build/. */
async function buildAddon(libtorch) {
  const { BuildSystem } = createRequire(import.meta.url)('cmake-js')
  const system = new BuildSystem({
    directory: root,
    out: path.join(root, 'build', 'cmake'),
    cMakeOptions: { FACEX_LIBTORCH: libtorch.folder },
    parallel: os.availableParallelism(),
  })
  await system.configure()
  await system.build()
}

/** Puts the new addon into the user cache, and forgets all but the newest few. */
function keep(kept) {
  const result = path.join(root, 'build', 'cmake', 'facex.node')
  if (!loads(result)) fail('The addon was built but does not load (see above).')
  install(result, kept)
  const folder = path.dirname(path.dirname(kept))
  const age = (name) => statSync(path.join(folder, name)).mtimeMs
  for (const name of readdirSync(folder).sort((a, b) => age(b) - age(a)).slice(KEPT_BUILDS)) {
    rmSync(path.join(folder, name), { recursive: true, force: true })
  }
}

/** Copies through a temporary name: a process that has the old file loaded keeps it. */
function install(from, to) {
  mkdirSync(path.dirname(to), { recursive: true })
  const aside = `${to}.${process.pid}`
  copyFileSync(from, aside)
  renameSync(aside, to)
}

/** Whether the addon loads, tried in another process since a bad one may crash. */
function loads(addon) {
  const script = `require(${JSON.stringify(addon)}).info()`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  if (status !== 0) log(`${addon} does not load: ${stderr.split('\n').find((line) => line.includes('Error')) ?? stderr}`)
  return status === 0
}

function log(text) {
  process.stderr.write(`facex: ${text}\n`)
}

function fail(message) {
  log(message)
  process.exit(1)
}

build().catch((error) => fail(process.env.FACEX_DEBUG ? error.stack : error.message))
