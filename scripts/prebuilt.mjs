// `npm run prebuilt`: the addon as a package of its own for this platform and the variant (cpu or cuda) of the libtorch in
// use, in build/prebuilt/. LIBTORCH chooses another libtorch. The package has no install script and nothing to compile.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { buildAddon, fail, log, PRODUCTS, root, setup } from './addon.mjs'
import { compile } from './compile.mjs'

const folder = path.join(root, 'build', 'prebuilt')

async function makePackage() {
  if (!compile()) fail('TypeScript did not compile.')
  const { findLibtorch } = await setup('libtorch')
  const libtorch = findLibtorch()
  if (libtorch === undefined) fail('there is no libtorch: run `npx facex setup --cpu` or `--cuda`, or set LIBTORCH')
  const variant = libtorch.cuda ? 'cuda' : 'cpu'
  const { prebuiltName } = await setup('prebuilt')
  const name = prebuiltName(variant)
  log(`${name} for libtorch ${libtorch.version} in ${libtorch.folder}`)

  const built = path.join(root, 'build', `cmake-prebuilt-${variant}`)
  await buildAddon(libtorch, built, { FACEX_PREBUILT: 'ON' })
  if (variant === 'cuda' && !existsSync(path.join(built, 'facex_cuda.so'))) fail('the CUDA kernels were not built: nvcc must be on PATH, or CUDACXX name it')

  const stage = path.join(folder, name)
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  for (const product of PRODUCTS.filter((product) => existsSync(path.join(built, product)))) copyFileSync(path.join(built, product), path.join(stage, product))
  for (const library of imageLibraries(path.join(built, 'facex.node'))) copyFileSync(library, path.join(stage, path.basename(library)))
  copyFileSync(path.join(root, 'LICENSE'), path.join(stage, 'LICENSE'))
  writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(manifest(name, variant, libtorch), null, 2)}\n`)
  writeFileSync(path.join(stage, 'README.md'), readme(name, variant, libtorch))

  await check(path.join(stage, 'facex.node'), libtorch)
  const { status } = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, stage], { stdio: ['ignore', 2, 2] })
  if (status !== 0) fail('npm pack failed')
}

/** The libraries besides libtorch that other machines need not have, or have in another version. */
function imageLibraries(addon) {
  const { status, stdout } = spawnSync('ldd', [addon], { encoding: 'utf8' })
  if (status !== 0) fail(`ldd could not read ${addon}`)
  return [...stdout.matchAll(/lib(?:jpeg|png|z)[\w.-]* => (\S+)/g)].map(([, file]) => file)
}

function manifest(name, variant, libtorch) {
  const { version, license } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  return {
    name,
    version,
    description: `Prebuilt addon of facex for ${process.platform}-${process.arch}, ${variant}`,
    license,
    main: 'facex.node',
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === 'linux' ? { libc: ['glibc'] } : {}),
    facex: { libtorch: libtorch.version.split('+')[0], variant },
  }
}

function readme(name, variant, libtorch) {
  return `# ${name}

The compiled addon of [facex](https://www.npmjs.com/package/facex), for libtorch ${libtorch.version} exactly. Install it beside facex of
the same version, then run \`npx facex setup --${variant}\`.

Beside the addon lie libjpeg-turbo (this software is based in part on the work of the Independent JPEG Group), libpng and
zlib, under their own licenses.
`
}

/** That it loads in a process of its own with a libtorch that it is told of, and not without: it knows no folder of this machine. */
async function check(addon, libtorch) {
  const { problemOfFirstLoad } = await setup('first-load')
  const problem = problemOfFirstLoad(addon, libtorch.folder)
  if (problem !== undefined) fail(`${addon} does not load: ${problem}`)
  if (problemOfFirstLoad(addon) === undefined) fail(`${addon} finds a libtorch by itself: by a folder of this machine, or by LD_LIBRARY_PATH, which must not be set here`)
}

makePackage().catch((error) => fail(process.env.FACEX_DEBUG ? error.stack : error.message))
