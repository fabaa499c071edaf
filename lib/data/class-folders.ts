/**
 * A folder of folders: one a class, its images inside. Labels follow the sorted folder names, by code point and not by
 * the language of the machine, so that they are the same everywhere.
 * @module
 */
import { readdirSync, type Dirent } from 'node:fs'
import path from 'node:path'

import { FacexError, messageOf } from '../errors.js'
import { pathsAt, type SampleSet } from './sample-set.js'

const IMAGE = /\.(jpe?g|png)$/i

/** Opens the class folders below `root`. */
export function openClassFolders(root: string): SampleSet {
  const problems: string[] = []
  const notes: string[] = []
  const classNames: string[] = []
  const names: string[] = []
  const labels: number[] = []
  const entries = list(root)
  const loose = entries.filter((entry) => !isFolder(entry, root)).length
  if (loose > 0) notes.push(`${root}: ${loose} ${loose === 1 ? 'file' : 'files'} beside the class folders ignored`)
  for (const folder of entries.filter((entry) => isFolder(entry, root)).map((entry) => entry.name).sort(byCodePoint)) {
    const files = list(path.join(root, folder)).map((entry) => entry.name)
    const images = files.filter((name) => IMAGE.test(name)).sort(byCodePoint)
    if (images.length < files.length) notes.push(`${path.join(root, folder)}: ${files.length - images.length} entries that are no JPEG or PNG ignored`)
    if (images.length === 0) {
      notes.push(`${path.join(root, folder)}: no image, not a class`)
      continue
    }
    for (const image of images) {
      const name = `${folder}/${image}`
      if (name.includes('\n')) problems.push(`${root}: expected names without line breaks, found ${JSON.stringify(name)}`)
      names.push(name)
      labels.push(classNames.length)
    }
    classNames.push(folder)
  }
  if (names.length === 0) problems.push(`${root}: expected a folder for each class with JPEG or PNG images inside, found none`)
  const paths = Buffer.from(names.map((name) => `${name}\n`).join(''))
  return {
    source: { kind: 'files', root, paths, labels: Int32Array.from(labels) },
    labels: Int32Array.from(labels),
    classNames,
    problems,
    notes,
    describe: (indices) => pathsAt(paths, indices).map((name) => path.join(root, name)),
  }
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${folder}: the folder cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** Links to folders count: large sets are often put together from links. */
function isFolder(entry: Dirent, parent: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  try {
    readdirSync(path.join(parent, entry.name))
    return true
  } catch {
    return false
  }
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
