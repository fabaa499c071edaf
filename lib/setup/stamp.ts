/**
 * The build stamp: a hash of everything that the built addon depends on. Equal stamps mean that an addon built before,
 * in this clone or another one, can be used again.
 * @module
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import type { Libtorch } from './libtorch.js'
import { packageRoot } from './places.js'

/** Variables that change what the compiler does. */
const FLAGS = ['CXX', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS', 'CMAKE_BUILD_TYPE', 'CMAKE_PREFIX_PATH', 'CUDACXX', 'CUDAFLAGS', 'FACEX_CUDA_ARCHITECTURES']

/** Hex digest over sources, CMakeLists.txt, libtorch, compiler and flags. */
export function buildStamp(libtorch: Libtorch, compiler: string): string {
  const root = packageRoot()
  const hash = createHash('sha256')
  const add = (name: string, content: string | Buffer) => hash.update(`${name}\0${content.length}\0`).update(content)
  for (const name of nativeSources(root)) add(name, readFileSync(path.join(root, name)))
  // The folder too: the addon remembers where it found libtorch.
  add('libtorch', `${libtorch.version} ${libtorch.folder}`)
  add('machine', `${process.platform} ${process.arch} ${compiler}`)
  for (const flag of FLAGS) add(flag, process.env[flag] ?? '')
  return hash.digest('hex')
}

/** Files of the native build, relative to the root, in a fixed order. */
function nativeSources(root: string): string[] {
  const native = readdirSync(path.join(root, 'native'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
  return ['CMakeLists.txt', 'package-lock.json', ...native].sort()
}
