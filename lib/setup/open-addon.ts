/**
 * Opens one addon file, with the libtorch that it is to use.
 * @module
 */
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

import { messageOf } from '../errors.js'

/** dlopen's flag that keeps a library loaded; Node does not name it. */
const RTLD_NODELETE: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: 0x1000, darwin: 0x80 }

/**
 * The exports of the addon in `file`. `libtorch` is the folder of the libtorch to load first, for an addon that does
 * not know where it is on this machine.
 * @throws Error with the dynamic linker's words
 */
export function openAddon(file: string, libtorch?: string): unknown {
  if (libtorch !== undefined) openLibrary(path.join(libtorch, 'lib', process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so'))
  return createRequire(import.meta.url)(file)
}

/** Loads a shared library for good. Libraries that need one of its name get this one from then on. */
function openLibrary(file: string): void {
  const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen as { RTLD_NOW: number; RTLD_GLOBAL: number }
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | (RTLD_NODELETE[process.platform] ?? 0))
  } catch (error) {
    // That it registers no addon is found out after it was loaded.
    if (!/did not self-register/.test(messageOf(error))) throw error
  }
}
