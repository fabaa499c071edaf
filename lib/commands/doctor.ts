/**
 * `facex doctor`: what facex runs on, and every place where a part of it was looked for.
 * @module
 */
import os from 'node:os'

import { findAddon, type NativeCuda, type NativeInfo } from '../native.js'
import { remedyOf, type AddonAttempt } from '../setup/addon.js'
import { searchLibtorch, type SearchResult } from '../setup/libtorch.js'
import { cacheFolder, isRepository, packageRoot, packageVersion } from '../setup/places.js'
import { checkPrerequisites, missingMessage, type Prerequisite } from '../setup/prerequisites.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex doctor [--json]

Prints what facex runs on: Node, the addon, libtorch, devices, image libraries, threads, build tools, and every place
that was searched. Exits with 1 when facex cannot run.
`

/** Everything that `facex doctor --json` prints. */
interface Report {
  readonly facex: { readonly version: string; readonly folder: string; readonly cache: string }
  readonly node: { readonly version: string; readonly platform: string; readonly arch: string }
  readonly cores: number
  /** Places where the addon was looked for; the last one without a problem is in use. */
  readonly addon: { readonly attempts: readonly AddonAttempt[]; readonly info?: NativeInfo }
  readonly libtorch: { readonly search: readonly SearchResult[]; /** Library file in use by the addon. */ readonly loaded?: string }
  /** Empty where facex was installed as a package: nothing is compiled then. */
  readonly build: readonly Prerequisite[]
}

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { json: { type: 'boolean' } })
  const report = examine()
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report))
  return report.addon.info === undefined ? 1 : 0
}

function examine(): Report {
  const { addon, attempts } = findAddon()
  return {
    facex: { version: packageVersion(), folder: packageRoot(), cache: cacheFolder() },
    node: { version: process.version, platform: process.platform, arch: process.arch },
    cores: os.availableParallelism(),
    addon: { attempts, info: addon?.info() },
    libtorch: { search: searchLibtorch(), loaded: loadedLibrary() },
    build: isRepository() ? checkPrerequisites() : [],
  }
}

/** Path of the libtorch that this process has loaded, as the operating system says. */
function loadedLibrary(): string | undefined {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] }
  return sharedObjects.find((file) => /torch_cpu\.(so|dylib|dll)/.test(file))
}

function describe(report: Report): string {
  const { facex, node, cores, addon, libtorch, build } = report
  const { info, attempts } = addon
  const rows: [string, string][] = [
    ['facex', `${facex.version} in ${facex.folder}`],
    ['Node', `${node.version} ${node.platform}-${node.arch}`],
    ...attempts.map(({ place, problem }): [string, string] => ['addon', problem === undefined ? place : `${place}: ${problem}`]),
  ]
  if (info !== undefined) {
    rows.push(
      ['libtorch', `${info.libtorch}${libtorch.loaded === undefined ? '' : ` from ${libtorch.loaded}`}`],
      ...cudaRows(info.cuda),
      ['images', Object.values(info.images).join(', ')],
      ['threads', `${info.threads} for tensor operations, ${cores} cores`],
    )
  }
  for (const { place, folder, found, problem } of libtorch.search) rows.push([`search: ${place}`, `${folder}: ${problem ?? `libtorch ${found!.version}`}`])
  if (libtorch.search.length === 0) rows.push(['search', `no libtorch in LIBTORCH, ${facex.cache} or Python: run \`npx facex setup\``])
  for (const { name, found } of build) rows.push(['build tools', `${name}: ${found ?? 'missing'}`])
  const width = Math.max(...rows.map(([label]) => label.length))
  const lines = rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`)
  return `${[...lines, '', verdict(report)].join('\n')}\n`
}

function cudaRows({ libtorch, built, available, kernels, driver, runtime, devices, problem, remedy }: NativeCuda): [string, string][] {
  const version = (number: number) => (number === 0 ? 'none' : `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`)
  const rows: [string, string][] = [['CUDA', available ? 'available' : `${problem}. ${remedy}.`]]
  if (libtorch && kernels !== '') rows.push(['CUDA kernels', `${kernels}${built ? '' : ': not loaded'}`])
  if (built) rows.push(['CUDA driver', `${version(driver)}, runtime ${version(runtime)}`])
  for (const { name, capability, memory } of devices) rows.push(['GPU', `${name}, compute capability ${capability}, ${(memory / 2 ** 30).toFixed(1)} GiB`])
  return rows
}

function verdict({ addon: { info, attempts }, build }: Report): string {
  if (info !== undefined) return 'facex is ready.'
  return missingMessage(build) ?? `facex cannot run. ${remedyOf(attempts)}`
}
