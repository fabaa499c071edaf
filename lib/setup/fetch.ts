/**
 * Puts libtorch into the user cache. Nothing half-finished is ever visible there: wheels are unpacked aside and the
 * folder is renamed once it is complete and checked.
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import { sha256Of } from './download.js'
import { cacheFolderOf, DEFAULT_VERSION, inspectLibtorch, isSupported, SUPPORTED, type Libtorch } from './libtorch.js'
import { withLock } from './lock.js'
import { cacheFolder } from './places.js'
import { findPrebuilt, installedPrebuilt } from './prebuilt.js'
import { indexDownload, pipDownload, type SetupLog, type Variant } from './sources.js'
import { unpackTorch } from './unpack.js'

/** Variant and version are by default those that the installed prebuilt addon needs. */
export interface FetchOptions {
  readonly variant?: Variant
  readonly version?: string
  /** Wheels or libtorch archives that are already here, or folders of them; nothing is downloaded. */
  readonly from?: readonly string[]
}

/** Published files that come without a checksum (local folders), and what they must be. */
const KNOWN_SHA256: Readonly<Record<string, string>> = {
  'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl': '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
}

/**
 * Makes sure that the user cache holds the wanted libtorch and that the search finds it first.
 * @throws FacexError ERR_SETUP when it cannot be had
 */
export async function fetchLibtorch(options: FetchOptions, log: SetupLog): Promise<Libtorch> {
  const prebuilt = options.variant === undefined ? installedPrebuilt() : findPrebuilt(options.variant)
  const needed = typeof prebuilt === 'object' ? prebuilt : { libtorch: DEFAULT_VERSION, variant: options.variant ?? 'cpu' }
  const version = options.version ?? needed.libtorch
  const { variant } = needed
  if (!isSupported(version)) throw new FacexError('ERR_SETUP', `libtorch ${version} is not supported: expected ${SUPPORTED}`)
  const root = path.join(cacheFolder(), 'libtorch')
  return withLock(
    path.join(root, '.lock'),
    (holder) => log.line(`waiting for another set-up (${holder})`),
    async () => {
      if (options.from !== undefined) return unpackInto(root, options.from.flatMap(archivesAt), log)
      const present = alreadyThere(version, variant)
      if (present !== undefined) return present
      const downloads = path.join(cacheFolder(), 'downloads', `${version}-${variant}`)
      const wheels = await download(version, variant, downloads, log)
      const libtorch = await unpackInto(root, wheels, log)
      rmSync(downloads, { recursive: true, force: true })
      return libtorch
    },
  )
}

function alreadyThere(version: string, variant: Variant): Libtorch | undefined {
  const names = variant === 'cpu' ? [`${version}+cpu`, version] : ['cu126', 'cu128', 'cu129', 'cu130', 'cu132'].map((cuda) => `${version}+${cuda}`)
  for (const folder of names.map(cacheFolderOf)) {
    const found = inspectLibtorch(path.join(folder, 'torch'))
    if (typeof found === 'string' || found.cuda !== (variant === 'cuda')) continue
    utimesSync(folder, new Date(), new Date()) // the search takes the one set up last
    return found
  }
  return undefined
}

async function download(version: string, variant: Variant, folder: string, log: SetupLog): Promise<string[]> {
  const local = pipDownload(version, variant, folder, true, log) ?? pipDownload(version, variant, folder, false, log)
  if (local !== undefined) return local
  if (variant === 'cuda') {
    throw new FacexError('ERR_SETUP', 'pip could not download the CUDA build of torch (its output is above). Download the wheels elsewhere and give pip their folder in PIP_FIND_LINKS.')
  }
  try {
    return [await indexDownload(version, folder, log)]
  } catch (error) {
    throw new FacexError(
      'ERR_SETUP',
      `libtorch ${version} could not be fetched: ${messageOf(error)}\nWithout network: \`npx facex setup --from FILE\` with a PyTorch wheel or libtorch archive, or LIBTORCH=FOLDER. Behind a proxy: set HTTPS_PROXY.`,
      { cause: error },
    )
  }
}

/** A file itself; of a folder the wheels and archives that libtorch consists of. */
function archivesAt(place: string): string[] {
  const file = path.resolve(place)
  if (!existsSync(file)) throw new FacexError('ERR_SETUP', `${file}: there is no such file`)
  if (!statSync(file).isDirectory()) return [file]
  const found = readdirSync(file).filter((name) => /^(torch-|nvidia_|libtorch-).*\.(whl|zip)$/.test(name))
  if (found.length === 0) throw new FacexError('ERR_SETUP', `${file}: expected wheels of torch and of NVIDIA's libraries, or a libtorch archive, in this folder`)
  return found.sort().map((name) => path.join(file, name))
}

async function unpackInto(root: string, archives: readonly string[], log: SetupLog): Promise<Libtorch> {
  for (const name of readdirSync(root)) {
    if (/^\.(unpacking|old)-/.test(name)) rmSync(path.join(root, name), { recursive: true, force: true }) // of a killed set-up
  }
  const aside = mkdtempSync(path.join(root, '.unpacking-'))
  try {
    for (const archive of archives) {
      log.line(`unpacking ${path.basename(archive)}`)
      await verify(archive)
      await unpackTorch(archive, aside)
    }
    const inside = inspectLibtorch(path.join(aside, 'torch'))
    if (typeof inside === 'string') throw new FacexError('ERR_SETUP', `${archives[0]}: no usable libtorch inside: ${inside}`)
    checkNvidia(aside, inside, archives)
    const folder = cacheFolderOf(inside.version)
    if (existsSync(folder)) renameSync(folder, path.join(mkdtempSync(path.join(root, '.old-')), 'replaced'))
    renameSync(aside, folder)
    return { ...inside, folder: path.join(folder, 'torch') }
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** PyTorch's CUDA wheel needs wheels of NVIDIA's beside it; libtorch's archive brings their libraries along. */
function checkNvidia(folder: string, { cuda, version }: Libtorch, archives: readonly string[]): void {
  const bundled = readdirSync(path.join(folder, 'torch', 'lib')).some((name) => name.startsWith('libcudart'))
  if (!cuda || bundled || existsSync(path.join(folder, 'nvidia'))) return
  throw new FacexError(
    'ERR_SETUP',
    `${archives[0]}: torch ${version} needs the wheels of NVIDIA's libraries too (nvidia_*.whl). \`pip download torch===${version.split('+')[0]}\` gets them all; name their folder: \`npx facex setup --from FOLDER\`.`,
  )
}

async function verify(archive: string): Promise<void> {
  const wanted = KNOWN_SHA256[path.basename(archive)]
  if (wanted === undefined) return
  const found = await sha256Of(archive)
  if (found !== wanted) throw new FacexError('ERR_SETUP', `${archive}: expected SHA-256 ${wanted}, found ${found}`)
}
