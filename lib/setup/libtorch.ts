/**
 * Finds libtorch on this machine. The order: LIBTORCH, the user cache, the torch package of an installed Python.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

import { FacexError } from '../errors.js'
import { cacheFolder } from './places.js'
import type { Variant } from './sources.js'

/** Version that `facex setup` fetches, and the range that the addon compiles against. */
export const DEFAULT_VERSION = '2.13.0'
const OLDEST = [2, 11] as const
const NEWEST = [2, 14] as const
export const SUPPORTED = `${OLDEST.join('.')} to ${NEWEST.join('.')}`

/** A usable libtorch: a folder with `include/` and `lib/`. */
export interface Libtorch {
  readonly folder: string
  /** Complete version, such as `2.13.0+cpu`. */
  readonly version: string
  readonly cuda: boolean
}

/** One place of the search: `found` where it is usable, `problem` where it is not. */
export interface SearchResult {
  readonly place: 'LIBTORCH' | 'user cache' | 'Python'
  readonly folder: string
  readonly found?: Libtorch
  readonly problem?: string
}

/**
 * Looks everywhere; the first result with `found` is the one to use. A wrong LIBTORCH ends the search: whoever set it
 * wants that one or an error.
 */
export function searchLibtorch(): SearchResult[] {
  return [...places()]
}

/** The places in order, each looked at when it is asked for: asking Python takes a while. */
function* places(): Generator<SearchResult> {
  const named = process.env['LIBTORCH']
  if (named) return yield inspect('LIBTORCH', path.resolve(named))
  for (const folder of cached()) yield inspect('user cache', folder)
  for (const folder of pythonPackages()) yield inspect('Python', folder)
}

/** The libtorch to use, or undefined when there is none. @throws FacexError ERR_SETUP when LIBTORCH is set and wrong */
export function findLibtorch(): Libtorch | undefined {
  const results = searchLibtorch()
  const wrong = results.find((result) => result.place === 'LIBTORCH' && result.problem !== undefined)
  if (wrong !== undefined) {
    throw new FacexError('ERR_SETUP', `LIBTORCH=${wrong.folder}: ${wrong.problem}. Set it to a folder with include/ and lib/, or unset it.`)
  }
  return results.find((result) => result.found !== undefined)?.found
}

/** The libtorch that is exactly of this version (`2.13.0`) and variant, as a prebuilt addon needs it. */
export function findLibtorchOf(version: string, variant: Variant): Libtorch | undefined {
  for (const { found } of places()) {
    if (found !== undefined && found.version.split('+')[0] === version && found.cuda === (variant === 'cuda')) return found
  }
  return undefined
}

/** Describes the libtorch in `folder`, or says what is wrong with it. */
export function inspectLibtorch(folder: string): Libtorch | string {
  const library = { linux: 'libtorch_cpu.so', darwin: 'libtorch_cpu.dylib', win32: 'torch_cpu.dll' }[process.platform as string] ?? 'libtorch_cpu.so'
  if (!existsSync(folder)) return 'there is no such folder'
  if (!existsSync(path.join(folder, 'lib', library))) return `lib/${library} is missing`
  const numbers = versionNumbers(folder)
  if (numbers === undefined) return 'the headers are missing (include/torch)'
  const version = completeVersion(folder) ?? numbers
  if (!isSupported(numbers)) return `version ${version} is not supported (${SUPPORTED})`
  return { folder, version, cuda: readdirSync(path.join(folder, 'lib')).some((name) => /^(lib)?torch_cuda\./.test(name)) }
}

/** Folder in the user cache for one version. */
export function cacheFolderOf(version: string): string {
  return path.join(cacheFolder(), 'libtorch', version)
}

export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === OLDEST[0] && minor >= OLDEST[1] && minor <= NEWEST[1]
}

function inspect(place: SearchResult['place'], folder: string): SearchResult {
  const found = inspectLibtorch(folder)
  return typeof found === 'string' ? { place, folder, problem: found } : { place, folder, found }
}

/** Versions in the user cache, the one set up last first. */
function cached(): string[] {
  const root = path.join(cacheFolder(), 'libtorch')
  if (!existsSync(root)) return []
  return readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .map((name) => path.join(root, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    .map((folder) => path.join(folder, 'torch'))
}

/** Folders of the torch package of the Pythons on PATH; Python is asked where it is, torch is not loaded. */
function pythonPackages(): string[] {
  const ask = 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")'
  const folders = ['python3', 'python'].flatMap((python) => {
    const { status, stdout } = spawnSync(python, ['-c', ask], { encoding: 'utf8', timeout: 20_000 })
    return status === 0 && stdout.trim() !== '' ? [stdout.trim()] : []
  })
  return [...new Set(folders)]
}

/** `2.13.0` as the headers say. */
function versionNumbers(folder: string): string | undefined {
  const files = ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h']
  for (const file of files.map((name) => path.join(folder, 'include', name))) {
    if (!existsSync(file)) continue
    const text = readFileSync(file, 'utf8')
    const parts = ['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`define TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1])
    if (parts.every((part) => part !== undefined)) return parts.join('.')
  }
  return undefined
}

/** `2.13.0+cpu` as wheels (version.py) and archives (build-version) say. */
function completeVersion(folder: string): string | undefined {
  const python = path.join(folder, 'version.py')
  if (existsSync(python)) return /__version__ = '([^']+)'/.exec(readFileSync(python, 'utf8'))?.[1]
  const archive = path.join(folder, 'build-version')
  return existsSync(archive) ? readFileSync(archive, 'utf8').trim() : undefined
}
