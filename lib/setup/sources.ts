/**
 * Where libtorch comes from: PyTorch's own wheels, through pip (which knows this machine's mirrors, certificates and
 * local folders) or straight from PyTorch's index.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { FacexError } from '../errors.js'
import { downloadFile, downloadText, type DownloadProgress } from './download.js'

export type Variant = 'cpu' | 'cuda'

/** What the parts of set-up say while they work; everything goes to stderr. */
export interface SetupLog {
  line(text: string): void
  progress: DownloadProgress
}

const INDEX = 'https://download.pytorch.org/whl/'

/** Wheels for this platform: the version as pip must be asked for it, and the platform part of the file name. */
function wheelName(version: string, variant: Variant): { version: string; platform: RegExp } {
  const local = variant === 'cpu' && process.platform !== 'darwin' ? `${version}+cpu` : version
  const machine = { x64: 'x86_64', arm64: process.platform === 'linux' ? 'aarch64' : 'arm64' }[process.arch as string] ?? process.arch
  const system = { linux: `manylinux.*_${machine}`, darwin: `macosx.*_${machine}`, win32: process.arch === 'x64' ? 'win_amd64' : 'win_arm64' }
  const platform = system[process.platform as keyof typeof system]
  if (platform === undefined) throw new FacexError('ERR_SETUP', `PyTorch has no libtorch for ${process.platform}-${process.arch}`)
  return { version: local, platform: new RegExp(`-${platform}\\.whl$`) }
}

/**
 * Lets pip download the wheels into `folder`: torch alone, and NVIDIA's libraries with it for CUDA. `offline` looks
 * only into the folders that pip is configured with.
 * @returns the wheel files, or undefined when there is no pip or it does not find them
 */
export function pipDownload(version: string, variant: Variant, folder: string, offline: boolean, log: SetupLog): string[] | undefined {
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version'], { timeout: 30_000 }).status === 0)
  if (python === undefined) return undefined
  mkdirSync(folder, { recursive: true })
  // `===` takes the plain version, never the +cpu build that `==` would prefer.
  const wanted = variant === 'cpu' ? `torch==${wheelName(version, variant).version}` : `torch===${version}`
  const from = offline ? ['--no-index'] : variant === 'cpu' ? ['--extra-index-url', `${INDEX}cpu`] : []
  const args = ['-m', 'pip', 'download', '--dest', folder, '--only-binary', ':all:', ...(variant === 'cpu' ? ['--no-deps'] : []), ...from, wanted]
  if (!offline) log.line(`${python} ${args.join(' ')}`)
  const { status } = spawnSync(python, args, { stdio: ['ignore', offline ? 'ignore' : 2, offline ? 'ignore' : 2] })
  const wheels = readdirSync(folder).filter((name) => /^(torch|nvidia)[^/]*\.whl$/.test(name))
  return status === 0 && wheels.length > 0 ? wheels.map((name) => path.join(folder, name)) : undefined
}

/**
 * Downloads the CPU wheel from PyTorch's index, which gives the SHA-256 of every file. Any Python's wheel will do:
 * the libraries inside are the same.
 */
export async function indexDownload(version: string, folder: string, log: SetupLog): Promise<string> {
  const page = new URL('cpu/torch/', INDEX)
  const { url, sha256 } = chooseWheel(await downloadText(page.href), page, version)
  const file = path.join(folder, decodeURIComponent(url.pathname.split('/').at(-1)!))
  mkdirSync(folder, { recursive: true })
  log.line(`downloading ${url.href}`)
  await downloadFile(url.href, file, sha256, log.progress)
  return file
}

/** Finds the wheel for this platform among the links of an index page. */
export function chooseWheel(html: string, page: URL, version: string): { url: URL; sha256: string } {
  const wanted = wheelName(version, 'cpu')
  for (const [, href] of html.matchAll(/<a\s[^>]*href="([^"]+)"/g)) {
    const url = new URL(href!.replaceAll('&amp;', '&'), page)
    const name = decodeURIComponent(url.pathname.split('/').at(-1)!)
    const sha256 = /^#sha256=([0-9a-f]{64})$/.exec(url.hash)?.[1]
    if (!name.startsWith(`torch-${wanted.version}-cp`) || !wanted.platform.test(name) || sha256 === undefined) continue
    url.hash = ''
    return { url, sha256 }
  }
  throw new FacexError('ERR_SETUP', `${page.href} has no torch ${wanted.version} with a checksum for ${process.platform}-${process.arch}`)
}
