// `npm ci` ends here: TypeScript, libtorch, the addon. `--native` builds the addon alone (node-gyp calls that).
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { buildAddon, fail, log, PRODUCTS, root, setup } from './addon.mjs'
import { compile } from './compile.mjs'

const built = path.join(root, 'build', 'facex.node')
const stampFile = path.join(root, 'build', 'facex.stamp')
const KEPT_BUILDS = 4

async function build() {
  // `npx facex` in this folder makes npm link the package and run its `prepare` again, unseen.
  if (process.env.npm_command === 'exec' && existsSync(built) && existsSync(path.join(root, 'dist', 'lib', 'cli.js'))) return
  const nativeOnly = process.argv.includes('--native')
  if (!(nativeOnly && existsSync(path.join(root, 'dist', 'lib', 'setup'))) && !compile()) fail('TypeScript did not compile.')
  const { checkPrerequisites, findCompiler, findNvcc, missingMessage } = await setup('prerequisites')
  const missing = missingMessage(checkPrerequisites())
  if (missing !== undefined) fail(missing)

  const libtorch = await libtorchOrFetch()
  log(`libtorch ${libtorch.version} in ${libtorch.folder}`)
  const { buildStamp } = await setup('stamp')
  const compilers = [findCompiler().version, libtorch.cuda ? findNvcc() : undefined]
  if (libtorch.cuda && compilers[1] === undefined) log('libtorch is a CUDA build, but there is no nvcc: the addon is built without its CUDA kernels and computes on the CPU only')
  const stamp = buildStamp(libtorch, compilers.join(' '))
  if (existsSync(built) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && loads(built)) {
    log('the addon is up to date')
    return
  }
  const { cacheFolder } = await setup('places')
  const kept = path.join(cacheFolder(), 'addon', stamp, 'facex.node')
  if (existsSync(kept) && loads(kept)) {
    log('the addon was built before from the same sources')
  } else {
    await buildAddon(libtorch, path.join(root, 'build', 'cmake'))
    keep(kept)
  }
  installBuild(path.dirname(kept), path.dirname(built))
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

/** Puts the new addon into the user cache, and forgets all but the newest few. */
function keep(kept) {
  const result = path.join(root, 'build', 'cmake', 'facex.node')
  if (!loads(result)) fail('The addon was built but does not load (see above).')
  installBuild(path.dirname(result), path.dirname(kept))
  const folder = path.dirname(path.dirname(kept))
  const age = (name) => statSync(path.join(folder, name)).mtimeMs
  for (const name of readdirSync(folder).sort((a, b) => age(b) - age(a)).slice(KEPT_BUILDS)) {
    rmSync(path.join(folder, name), { recursive: true, force: true })
  }
}

/** The addon comes last: where it is, its kernels are. */
function installBuild(from, to) {
  for (const name of PRODUCTS) {
    if (existsSync(path.join(from, name))) install(path.join(from, name), path.join(to, name))
    else rmSync(path.join(to, name), { force: true })
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

build().catch((error) => fail(process.env.FACEX_DEBUG ? error.stack : error.message))
