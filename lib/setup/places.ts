/**
 * Where facex keeps things on this machine: its own folder, the user cache, the addon.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of facex itself, the one with package.json: the repository or node_modules/facex. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url))
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder)
  return folder
}

/** Whether this facex is a clone, which can be compiled, rather than an installed package. */
export function isRepository(): boolean {
  return existsSync(path.join(packageRoot(), 'tsconfig.json'))
}

/** Version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version
}

/** The user cache: `$XDG_CACHE_HOME/facex`, else `~/.cache/facex` (`%LOCALAPPDATA%\facex` on Windows). */
export function cacheFolder(): string {
  const xdg = process.env['XDG_CACHE_HOME']
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'facex')
  if (process.platform === 'win32' && process.env['LOCALAPPDATA']) return path.join(process.env['LOCALAPPDATA'], 'facex')
  return path.join(os.homedir(), '.cache', 'facex')
}
