/**
 * One archive with all that facex needs on a machine without network: Node, facex with the packages that it depends on,
 * a prebuilt addon and its libtorch.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { FacexError } from '../errors.js'
import { findLibtorchOf, type Libtorch } from './libtorch.js'
import { packageRoot, packageVersion } from './places.js'
import { findPrebuilt, prebuiltIn, type Prebuilt } from './prebuilt.js'
import type { Variant } from './sources.js'

export interface BundleOptions {
  readonly variant: Variant
  /** Folder of the prebuilt package, where it is not installed beside facex. */
  readonly prebuilt?: string
  /** The archive; its name says how it is compressed: .tar, .tar.gz, .tar.xz, .tar.zst. */
  readonly out: string
}

/** What starts facex in an unpacked bundle: nothing outside its folder is asked for, unless the launcher is a link. */
const LAUNCHER = `#!/bin/sh
self=$0
[ -L "$self" ] && self=$(readlink -f "$self")
case $self in
  */*) here=\${self%/*} ;;
  *) here=. ;;
esac
unset FACEX_ADDON NODE_OPTIONS NODE_PATH
LIBTORCH="$here/torch" exec "$here/node" "$here/node_modules/facex/bin/facex.mjs" "$@"
`

/** Parts of facex that run; its sources and tests stay at home. */
const FACEX_PARTS = ['bin', 'dist/lib', 'configs', 'package.json', 'README.md', 'LICENSE']

/** What Python needs of libtorch, and facex does not. */
const OF_PYTHON = /torch_python|libshm|jitbackend_test|torchbind_test|backend_with_compiler|aoti_custom_ops|\.a$/

/**
 * Writes the archive.
 * @returns the libtorch inside it
 * @throws FacexError ERR_SETUP when the prebuilt addon or its libtorch is missing, or tar fails
 */
export function writeBundle({ variant, prebuilt: folder, out }: BundleOptions): Libtorch {
  const prebuilt = folder === undefined ? findPrebuilt(variant) : prebuiltIn(path.resolve(folder), variant)
  if (typeof prebuilt === 'string') throw new FacexError('ERR_SETUP', `prebuilt addon (${variant}): ${prebuilt}. In a clone \`npm run prebuilt\` makes one: name it with --prebuilt build/prebuilt/NAME.`)
  const libtorch = findLibtorchOf(prebuilt.libtorch, variant)
  if (libtorch === undefined) throw new FacexError('ERR_SETUP', `${prebuilt.name} needs libtorch ${prebuilt.libtorch} (${variant}): run \`npx facex setup --${variant}\``)
  const stage = mkdtempSync(path.join(os.tmpdir(), 'facex-bundle-'))
  try {
    const name = `facex-${packageVersion()}-${process.platform}-${process.arch}-${variant}`
    const target = path.join(stage, name)
    stageAll(target, prebuilt, libtorch)
    pack(stage, name, path.resolve(out))
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
  return libtorch
}

/** Links to everything, in the layout of the bundle; tar follows them. */
function stageAll(target: string, prebuilt: Prebuilt, libtorch: Libtorch): void {
  for (const part of FACEX_PARTS) link(path.join(packageRoot(), part), path.join(target, 'node_modules', 'facex', part))
  stageDependencies(packageRoot(), path.join(target, 'node_modules', 'facex'), path.join(target, 'node_modules'))
  link(path.dirname(prebuilt.addon), path.join(target, 'node_modules', prebuilt.name))
  link(realpathSync(process.execPath), path.join(target, 'node'))
  for (const file of ['version.py', 'build-version', 'include/torch/headeronly/version.h']) link(path.join(libtorch.folder, file), path.join(target, 'torch', file))
  const libraries = path.join(libtorch.folder, 'lib')
  for (const name of readdirSync(libraries)) if (!OF_PYTHON.test(name)) link(path.join(libraries, name), path.join(target, 'torch', 'lib', name))
  for (const lib of libtorch.cuda ? nvidiaLibraries(libtorch.folder) : []) link(lib, path.join(target, path.relative(path.dirname(libtorch.folder), lib)))
  writeFileSync(path.join(target, 'facex'), LAUNCHER)
  chmodSync(path.join(target, 'facex'), 0o755)
}

/** Folders `nvidia/NAME/lib` beside torch, as NVIDIA's wheels lay them. */
function nvidiaLibraries(torch: string): string[] {
  const nvidia = path.join(path.dirname(torch), 'nvidia')
  if (!existsSync(nvidia)) return []
  return readdirSync(nvidia)
    .map((name) => path.join(nvidia, name, 'lib'))
    .filter((folder) => existsSync(folder))
}

/**
 * Links the packages that the package in `source` depends on, and what those depend on: into `top`, or below the one
 * that asks when another version of the same name is there already.
 */
function stageDependencies(source: string, target: string, top: string): void {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as Partial<Record<string, Record<string, string>>>
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = locate(source, name)
    if (found === undefined || name.startsWith('facex-')) continue // optional ones are of other platforms
    const places = [path.join(top, name), path.join(target, 'node_modules', name)]
    if (places.some((place) => existsSync(place) && realpathSync(path.join(place, 'package.json')) === path.join(found, 'package.json'))) continue
    const place = places.find((place) => !existsSync(place))!
    for (const part of readdirSync(found)) if (part !== 'node_modules') link(path.join(found, part), path.join(place, part))
    stageDependencies(found, place, top)
  }
}

/** Where Node finds the package `name` for a module in `folder`. */
function locate(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const place = path.join(at, 'node_modules', name)
    if (existsSync(path.join(place, 'package.json'))) return realpathSync(place)
    if (at === path.dirname(at)) return undefined
  }
}

function link(source: string, target: string): void {
  if (!existsSync(source)) return
  mkdirSync(path.dirname(target), { recursive: true })
  symlinkSync(source, target)
}

function pack(stage: string, name: string, out: string): void {
  const part = path.join(path.dirname(out), `.part-${process.pid}-${path.basename(out)}`) // its end says how to compress
  const { status, error } = spawnSync('tar', ['--create', '--dereference', '--auto-compress', '--file', part, '--directory', stage, name], { stdio: ['ignore', 2, 2] })
  if (status === 0) return renameSync(part, out)
  rmSync(part, { force: true })
  throw new FacexError('ERR_SETUP', `${out}: tar failed (${error?.message ?? `exit status ${status}`}; its words are above)`)
}
