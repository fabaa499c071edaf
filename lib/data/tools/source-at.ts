/**
 * Tells the kinds of sources apart by what lies at a path.
 * @module
 */
import { statSync } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../../errors.js'
import type { SourceConfig } from '../dataset.js'

/** A folder is class folders, a .rec file is RecordIO, any other file is a list; its paths start from `root` or its own folder. */
export function sourceAt(place: string, root?: string): SourceConfig {
  let isFolder: boolean
  try {
    isFolder = statSync(place).isDirectory()
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${place}: expected a list, a folder or a .rec file: ${messageOf(cause)}`, { cause })
  }
  if (isFolder) return { kind: 'folder', root: place }
  if (path.extname(place) === '.rec') return { kind: 'record', file: place }
  return { kind: 'list', list: place, root: root ?? path.dirname(place) }
}
