// Compiles the addon by CMake through cmake-js; build.mjs and prebuilt.mjs both do.
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** What a build gives: the addon, and its CUDA kernels where libtorch is a CUDA build and nvcc is there. */
export const PRODUCTS = ['facex_cuda.so', 'facex.node']

/** Library files of the TypeScript build; only there once it is compiled. */
export const setup = (name) => import(path.join(root, 'dist', 'lib', 'setup', `${name}.js`))

/** In a folder of its own, `out`: node-gyp writes its makefiles to build/. */
export async function buildAddon(libtorch, out, options = {}) {
  const { BuildSystem } = createRequire(import.meta.url)('cmake-js')
  const system = new BuildSystem({
    directory: root,
    out,
    cMakeOptions: { FACEX_LIBTORCH: libtorch.folder, ...cudaArchitectures(), ...options },
    parallel: os.availableParallelism(),
  })
  await system.configure()
  await system.build()
}

/** FACEX_CUDA_ARCHITECTURES=90-real compiles the kernels for the GPU at hand alone, which takes a seventh of the time. */
function cudaArchitectures() {
  const { FACEX_CUDA_ARCHITECTURES } = process.env
  return FACEX_CUDA_ARCHITECTURES ? { FACEX_CUDA_ARCHITECTURES } : {}
}

export function log(text) {
  process.stderr.write(`facex: ${text}\n`)
}

export function fail(message) {
  log(message)
  process.exit(1)
}
