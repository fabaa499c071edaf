/**
 * The table of commands, in the order of `facex --help`. A new command is one line here and one file beside.
 * @module
 */
import type { Command } from './command.js'

export const commands: readonly Command[] = [
  { name: 'doctor', summary: 'print what facex runs on: Node, addon, libtorch, devices, image libraries', load: () => import('./doctor.js') },
]
