/**
 * What building the addon needs from this machine, checked before anything is compiled.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** One need: `found` says what is there, or it is missing. */
export interface Prerequisite {
  readonly name: string
  readonly found?: string
}

/** Folders that hold headers besides the compiler's own. */
const EXTRA_INCLUDES = ['/usr/local/include', '/opt/homebrew/include'].filter(existsSync)

/** Compiler, CMake and the headers of the image libraries. */
export function checkPrerequisites(): Prerequisite[] {
  const compiler = findCompiler()
  const header = (name: string) => (compiler !== undefined && hasHeader(compiler.command, name) ? `<${name}>` : undefined)
  return [
    { name: 'a C++20 compiler', found: compiler?.version },
    { name: 'CMake 3.22 or newer', found: cmakeVersion() },
    { name: 'the headers of libjpeg-turbo', found: header('jpeglib.h') },
    { name: 'the headers of libpng', found: header('png.h') },
  ]
}

/** One message for everything that is missing; undefined when nothing is. */
export function missingMessage(prerequisites: readonly Prerequisite[]): string | undefined {
  const missing = prerequisites.filter(({ found }) => found === undefined).map(({ name }) => name)
  if (missing.length === 0) return undefined
  return `Building facex needs ${missing.join(', ')}, which this machine does not have. Install with:\n  ${installCommand()}\nthen run \`npm run build\`.`
}

/** The compiler that CMake will take: CXX, else the first of the usual names. */
export function findCompiler(): { command: string; version: string } | undefined {
  for (const command of process.env['CXX'] ? [process.env['CXX']] : ['c++', 'g++', 'clang++']) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { command, version: stdout.split('\n')[0]! }
  }
  return undefined
}

/** Version of the CUDA compiler that CMake will take; undefined without one. */
export function findNvcc(): string | undefined {
  const { status, stdout } = spawnSync(process.env['CUDACXX'] || 'nvcc', ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('\n').at(-1) : undefined
}

function cmakeVersion(): string | undefined {
  const { status, stdout } = spawnSync('cmake', ['--version'], { encoding: 'utf8' })
  const [, version, major, minor] = /((\d+)\.(\d+)[\w.-]*)/.exec(status === 0 ? stdout : '') ?? []
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 22) ? version : undefined
}

function hasHeader(compiler: string, header: string): boolean {
  const includes = EXTRA_INCLUDES.flatMap((folder) => ['-I', folder])
  // <cstdio> first: jpeglib.h needs FILE to be declared.
  const input = `#include <cstdio>\n#include <${header}>\n`
  return spawnSync(compiler, ['-E', '-x', 'c++', ...includes, '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0
}

/** The command for this system's package manager. */
function installCommand(): string {
  if (process.platform === 'darwin') return 'xcode-select --install && brew install cmake jpeg-turbo libpng'
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  if (/^ID(_LIKE)?=.*(fedora|rhel)/m.test(release)) return 'sudo dnf install gcc-c++ cmake libjpeg-turbo-devel libpng-devel'
  if (/^ID(_LIKE)?=.*arch/m.test(release)) return 'sudo pacman -S base-devel cmake libjpeg-turbo libpng'
  if (/^ID(_LIKE)?=.*alpine/m.test(release)) return 'PyTorch has no libtorch for Alpine (musl); use a glibc distribution'
  return 'sudo apt-get install g++ cmake libjpeg-dev libpng-dev'
}
