/**
 * Prebuilt addons: packages of their own beside facex, one for each platform and variant, without an install script.
 * `npm run prebuilt` makes them. Each says in its package.json for which libtorch it was compiled.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { packageVersion } from './places.js'
import type { Variant } from './sources.js'

/** An installed prebuilt package. */
export interface Prebuilt {
  readonly name: string
  /** The addon inside it. */
  readonly addon: string
  /** Version of libtorch that it was compiled for, such as `2.13.0`: no other will do. */
  readonly libtorch: string
  readonly variant: Variant
}

/** What package.json of a prebuilt package says under `facex`. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly main: string
  readonly facex: { readonly libtorch: string; readonly variant: Variant }
}

/** Name of the prebuilt package of this platform. */
export function prebuiltName(variant: Variant): string {
  return `facex-${process.platform}-${process.arch}-${variant}`
}

/** The installed package, or why there is none. */
export function findPrebuilt(variant: Variant): Prebuilt | string {
  try {
    return prebuiltIn(path.dirname(createRequire(import.meta.url).resolve(`${prebuiltName(variant)}/package.json`)), variant)
  } catch {
    return 'not installed'
  }
}

/** The package in `folder`, or what is wrong with it. */
export function prebuiltIn(folder: string, variant: Variant): Prebuilt | string {
  const file = path.join(folder, 'package.json')
  if (!existsSync(file)) return `${file}: there is no such file`
  const name = prebuiltName(variant)
  const { name: found, version, main, facex } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  if (found !== name) return `${folder} is ${found}, expected ${name}`
  if (version !== packageVersion()) return `is of version ${version}, facex is ${packageVersion()}: install ${name}@${packageVersion()}`
  return { name, addon: path.join(folder, main), ...facex }
}

/** The prebuilt package that set-up should serve: CUDA's where it is installed. */
export function installedPrebuilt(): Prebuilt | undefined {
  const found = [findPrebuilt('cuda'), findPrebuilt('cpu')]
  return found.find((prebuilt) => typeof prebuilt !== 'string')
}
