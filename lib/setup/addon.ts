/**
 * Finds and loads the addon. The order: FACEX_ADDON alone where it is set, the repository's own build, the prebuilt
 * packages.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { messageOf } from '../errors.js'
import { problemOfFirstLoad } from './first-load.js'
import { findLibtorchOf } from './libtorch.js'
import { openAddon } from './open-addon.js'
import { isRepository, packageRoot } from './places.js'
import { findPrebuilt, prebuiltName } from './prebuilt.js'
import type { Variant } from './sources.js'

/** One place where the addon was looked for, and why it could not be loaded from there. */
export interface AddonAttempt {
  readonly place: string
  readonly problem?: string
}

/** Tries each place until one works; the last attempt is the one that did, if any. */
export function loadAddon(): { exports?: unknown; attempts: readonly AddonAttempt[] } {
  const attempts: AddonAttempt[] = []
  for (const { place, load } of places()) {
    try {
      const found = load()
      return { exports: found, attempts: [...attempts, { place }] }
    } catch (error) {
      attempts.push({ place, problem: messageOf(error).split('\n')[0]! })
    }
  }
  return { attempts }
}

/** What to do when no place had an addon that works. */
export function remedyOf(attempts: readonly AddonAttempt[]): string {
  if (attempts.some(({ problem }) => problem?.includes('facex setup'))) return 'Run what the last lines say; `npx facex doctor` shows more.'
  if (isRepository()) {
    const moved = attempts.some(({ problem }) => /lib(torch|c10)\w*\.(so|dylib)/.test(problem ?? ''))
    return `${moved ? 'libtorch is not where it was when the addon was built: run' : 'Run'} \`npm run build\` in the folder of facex; \`npx facex doctor\` shows what is missing.`
  }
  return `Install ${prebuiltName('cpu')}, or ${prebuiltName('cuda')} for NVIDIA GPUs, beside facex, then run \`npx facex setup\`.`
}

interface Place {
  readonly place: string
  load(): unknown
}

function places(): Place[] {
  const named = process.env['FACEX_ADDON']
  if (named) return [built(path.resolve(named))]
  return [built(path.join(packageRoot(), 'build', 'facex.node')), prebuilt('cuda'), prebuilt('cpu')]
}

/** An addon that was linked on this machine and knows where libtorch is. */
function built(file: string): Place {
  return { place: file, load: () => load(file) }
}

function prebuilt(variant: Variant): Place {
  return {
    place: prebuiltName(variant),
    load() {
      const found = findPrebuilt(variant)
      if (typeof found === 'string') throw new Error(found)
      // The C++ interface of libtorch differs from version to version: another one may crash much later, or compute wrongly.
      const libtorch = findLibtorchOf(found.libtorch, found.variant)
      if (libtorch === undefined) throw new Error(`libtorch ${found.libtorch} (${variant}) is not on this machine: run \`npx facex setup --${variant}\``)
      return load(found.addon, libtorch.folder)
    },
  }
}

function load(file: string, libtorch?: string): unknown {
  if (!existsSync(file)) throw new Error('there is no such file')
  const problem = problemOfFirstLoad(file, libtorch)
  if (problem !== undefined) throw new Error(problem)
  return openAddon(file, libtorch)
}
